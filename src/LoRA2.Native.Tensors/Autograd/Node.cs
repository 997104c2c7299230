using System.Diagnostics.CodeAnalysis;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Autograd;

/// <summary>
/// One application of an op, as the <see cref="Tape"/> recorded it: what its gradient needs, and how to compute it. To write an op, derive from
/// this class, <see cref="Save"/> what <see cref="Backward"/> reads, and hand the node to <see cref="Tape.Record"/>.
/// </summary>
/// <example><code>
/// static Tensor Square(Tensor x)
/// {
///     Tensor y = Tape.Unrecorded(() => Ops.Multiply(x, x));
///     return Tape.Records(x) ? Tape.Record(new SquareNode(x), y) : y;
/// }
///
/// sealed class SquareNode : Node
/// {
///     private readonly Tensor x;
///
///     public SquareNode(Tensor x) => this.x = Save(x);
///
///     protected override void Backward(Tensor gradient) => Accumulate(x, Ops.Scale(Ops.Multiply(gradient, x), 2));
/// }
///
/// GradientCheck.Verify(inputs => Square(inputs[0]), [x]);
/// </code></example>
public abstract class Node
{
    private readonly List<Storage> saved = [];

    /// <summary>The op's name for error messages.</summary>
    public virtual string Name => GetType().Name.Replace("Node", "", StringComparison.Ordinal);

    internal Tensor? Output { get; set; }

    /// <summary>The tape that holds this node; null once it let go of it.</summary>
    internal Recording? Tape { get; set; }

    /// <summary>Whether an arena handed it out and may do so again: its output never left the arena's scopes.</summary>
    internal bool MayBeReused { get; set; }

    /// <summary>
    /// Adds the gradient of every input that requires one with <see cref="Accumulate"/>, given the gradient of the output (contiguous, the
    /// output's shape and type). Tensors made here are freed afterwards, unless accumulated.
    /// </summary>
    protected internal abstract void Backward(Tensor gradient);

    /// <summary>
    /// Does what <see cref="Backward"/> does by ops alone, which a tape records: for second derivatives. <see cref="OpNode"/> is for ops whose backward pass is that anyway.
    /// </summary>
    /// <exception cref="NotSupportedException">The op's gradient is a kernel of its own.</exception>
    protected internal virtual void RecordedBackward(Tensor gradient) =>
        throw new NotSupportedException($"{Name} has no second derivative: its gradient is a kernel of its own; {nameof(OpCatalogue)} says which ops have one");

    /// <summary>Keeps a tensor's memory until the gradient was computed.</summary>
    [return: NotNullIfNotNull(nameof(tensor))]
    protected Tensor? Save(Tensor? tensor)
    {
        if (tensor is null) return null;
        saved.Add(tensor.RetainStorage());
        return tensor;
    }

    /// <summary>Adds <paramref name="gradient"/> to what <paramref name="input"/> received so far; does nothing when it requires none.</summary>
    /// <exception cref="InvalidOperationException">The gradient is not of the input's shape and type.</exception>
    protected internal static void Accumulate(Tensor input, Tensor gradient)
    {
        if (!input.RequiresGrad) return;
        if (gradient.Shape != input.Shape || gradient.DType != input.DType)
            throw new InvalidOperationException($"a gradient of {gradient.Description} was given to an input of {input.Description}");
        if (GradientMap.Current is { } map)
        {
            map.Add(input, gradient);
            return;
        }

        GradientWatch.Touch(input);
        Tensor? sum = input.Grad;
        if (sum is null)
        {
            // A leaf's gradient stays after the pass and may be changed in place, so it shares its memory with nothing.
            bool share = gradient.IsContiguous && (input.Producer is not null || gradient.Storage.IsExclusive);
            input.Grad = Detached(share ? gradient.Alias() : gradient.Clone());
        }
        else if (sum.Storage.IsExclusive)
        {
            input.Device.Kernels.AddScaled(gradient.To(gradient.DType), 1, sum);
        }
        else
        {
            Tensor total = Detached(Tensor.Empty(input.Shape, input.DType, input.Device));
            input.Device.Kernels.Add(sum, gradient.To(gradient.DType), total);
            sum.Dispose();
            input.Grad = total;
        }
    }

    /// <summary>
    /// What <paramref name="input"/> received so far, where a kernel may add to it in place and so save <see cref="Accumulate"/> a temporary and a
    /// pass; else null.
    /// </summary>
    private protected static Tensor? GradientToAddTo(Tensor input)
    {
        if (GradientMap.Current is not null || input is not { RequiresGrad: true, Grad: { IsContiguous: true } sum } || !sum.Storage.IsExclusive) return null;
        GradientWatch.Touch(input);
        return sum;
    }

    /// <summary>The gradient alpha · op(a) op(b) of a factor, where it is wanted; added where it is to go, if there is something.</summary>
    private protected static void AccumulateProduct(Tensor factor, Tensor a, bool transposeA, Tensor b, bool transposeB, double alpha, Precision precision = Precision.Float32)
    {
        if (!factor.RequiresGrad) return;
        Tensor? sum = GradientToAddTo(factor);
        Tensor product = sum ?? Tensor.Empty(factor.Shape, factor.DType, factor.Device);
        a.Device.Kernels.MatMul(a, transposeA, b, transposeB, product, alpha, sum is null ? 0 : 1, precision: precision);
        if (sum is null) Accumulate(factor, product);
    }

    /// <summary>The gradient of what every row had added, a bias, where it is wanted: the sum of the rows.</summary>
    private protected static void AccumulateSum(Tensor? bias, Tensor rows)
    {
        if (bias is not { RequiresGrad: true }) return;
        Tensor sum = Tensor.Empty(bias.Shape, bias.DType, bias.Device);
        bias.Device.Kernels.SumRows(rows, sum);
        Accumulate(bias, sum);
    }

    internal void Release()
    {
        foreach (Storage storage in saved) storage.Release();
        saved.Clear();
        Output = null;
        Tape = null;
    }

    /// <summary>
    /// A node to fill in: inside a reusing scope one that an earlier step is done with, so that a step allocates none. Every field has to be set anew: it has what that
    /// step left there.
    /// </summary>
    protected static T Take<T>()
        where T : Node, new() => ObjectArena.Node<T>();

    private static Tensor Detached(Tensor tensor)
    {
        tensor.Owner?.Forget(tensor);
        return tensor;
    }
}
