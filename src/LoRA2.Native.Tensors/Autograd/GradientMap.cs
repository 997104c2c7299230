using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Autograd;

/// <summary>
/// Where a pass that hands gradients back puts them, instead of into <see cref="Tensor.Grad"/>. With <see cref="IsRecorded"/> they are results of ops on the tape, and
/// are added up by an op.
/// </summary>
internal sealed class GradientMap(bool recorded)
{
    [ThreadStatic]
    private static GradientMap? current;

    private readonly Dictionary<Tensor, Tensor> gradients = new(ReferenceEqualityComparer.Instance);

    /// <summary>That of the pass that runs on this thread, or null.</summary>
    public static GradientMap? Current => current;

    /// <summary>Whether the pass is itself recorded.</summary>
    public bool IsRecorded => recorded;

    /// <summary>Makes it this thread's; returns the one before.</summary>
    public GradientMap? Enter()
    {
        GradientMap? before = current;
        current = this;
        return before;
    }

    /// <summary>Puts back the one before.</summary>
    public static void Leave(GradientMap? before) => current = before;

    /// <summary>Adds to what a tensor received so far.</summary>
    public void Add(Tensor input, Tensor gradient)
    {
        Tensor sum;
        if (gradients.TryGetValue(input, out Tensor? before)) sum = Ops.Add(before, gradient);
        else sum = recorded ? Ops.Alias(gradient) : gradient.IsContiguous ? gradient.Alias() : gradient.Clone();
        sum.Owner?.Forget(sum);
        before?.Dispose();
        gradients[input] = sum;
    }

    /// <summary>What a tensor received, or null.</summary>
    public Tensor? Of(Tensor input) => gradients.GetValueOrDefault(input);

    /// <summary>Hands the gradients of some tensors to the current scope and frees the others.</summary>
    public Tensor[] Take(ReadOnlySpan<Tensor> inputs)
    {
        var taken = new Tensor[inputs.Length];
        for (int i = 0; i < taken.Length; i++)
        {
            taken[i] = gradients.TryGetValue(inputs[i], out Tensor? gradient) ? gradient.Owner is null ? gradient : gradient.Alias() : Tensor.Zeros(inputs[i].Shape, inputs[i].DType, inputs[i].Device);
            if (taken[i].Owner is null) ScopeFrame.Current?.Adopt(taken[i]);
        }

        foreach (Tensor gradient in gradients.Values)
        {
            if (gradient.Owner is null && Array.IndexOf(taken, gradient) < 0) gradient.Dispose();
        }

        return taken;
    }
}
