using System.Diagnostics.CodeAnalysis;

namespace LoRA2.Native.Tensors;

/// <summary>
/// One application of an op, as the <see cref="Tape"/> recorded it: what its gradient needs, and how to compute it. To write an op, derive from
/// this class, <see cref="Save"/> what <see cref="Backward"/> reads, and hand the node to <see cref="Tape.Record"/>.
/// </summary>
public abstract class Node
{
    private readonly List<Storage> saved = [];

    /// <summary>The op's name for error messages.</summary>
    public virtual string Name => GetType().Name.Replace("Node", "", StringComparison.Ordinal);

    internal Tensor? Output { get; set; }

    /// <summary>
    /// Adds the gradient of every input that requires one with <see cref="Accumulate"/>, given the gradient of the output (contiguous, the
    /// output's shape and type). Tensors made here are freed afterwards, unless accumulated.
    /// </summary>
    protected internal abstract void Backward(Tensor gradient);

    /// <summary>Keeps a tensor's memory until the gradient was computed.</summary>
    [return: NotNullIfNotNull(nameof(tensor))]
    protected Tensor? Save(Tensor? tensor)
    {
        if (tensor is null) return null;
        tensor.Storage.Retain();
        saved.Add(tensor.Storage);
        return tensor;
    }

    /// <summary>Adds <paramref name="gradient"/> to what <paramref name="input"/> received so far; does nothing when it requires none.</summary>
    protected internal static void Accumulate(Tensor input, Tensor gradient)
    {
        if (!input.RequiresGrad) return;
        if (gradient.Shape != input.Shape) throw new InvalidOperationException($"a gradient of shape {gradient.Shape} was given to an input of shape {input.Shape}");
        Tensor? sum = input.Grad;
        if (sum is null)
        {
            input.Grad = gradient.IsContiguous ? Detached(gradient.Alias()) : Detached(gradient.Clone());
        }
        else if (sum.Storage.IsExclusive)
        {
            input.Device.Kernels.AddScaled(gradient.To(gradient.DType), 1, sum);
        }
        else
        {
            Tensor total = Detached(Tensor.Empty(input.Shape, input.DType));
            input.Device.Kernels.Add(sum, gradient.To(gradient.DType), total);
            sum.Dispose();
            input.Grad = total;
        }
    }

    internal void Release()
    {
        foreach (Storage storage in saved) storage.Release();
        saved.Clear();
        Output = null;
    }

    private static Tensor Detached(Tensor tensor)
    {
        tensor.Owner?.Forget(tensor);
        return tensor;
    }
}
