using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Optimizers;

/// <summary>Limits of gradients, applied in place before an optimizer's step.</summary>
public static class GradientClipping
{
    /// <summary>
    /// Scales all gradients together so that their norm of order <paramref name="p"/> is at most <paramref name="limit"/> (PyTorch's <c>clip_grad_norm_</c>); returns the norm before.
    /// </summary>
    public static double ClipNorm(IEnumerable<Parameter> parameters, double limit, double p = 2)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        Tensor[] gradients = Gradients(parameters);
        using var scope = new TensorScope();
        double[] norms = [.. gradients.Select(gradient => Tape.Unrecorded(() => Ops.Norm(gradient, p)).Item())];
        double norm = norms.Length == 0 ? 0 : double.IsPositiveInfinity(p) ? norms.Max() : Math.Pow(norms.Sum(one => Math.Pow(one, p)), 1 / p);
        double factor = limit / (norm + 1e-6);
        if (factor >= 1) return norm;
        foreach (Tensor gradient in gradients) gradient.CopyFrom(Tape.Unrecorded(() => Ops.Scale(gradient, factor)));
        return norm;
    }

    /// <summary>Limits every element of every gradient to ±<paramref name="limit"/> (PyTorch's <c>clip_grad_value_</c>).</summary>
    public static void ClipValue(IEnumerable<Parameter> parameters, double limit)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        using var scope = new TensorScope();
        foreach (Tensor gradient in Gradients(parameters)) gradient.CopyFrom(Tape.Unrecorded(() => Ops.Clamp(gradient, -limit, limit)));
    }

    private static Tensor[] Gradients(IEnumerable<Parameter> parameters) => [.. parameters.Select(parameter => parameter.Value.Grad).OfType<Tensor>()];
}
