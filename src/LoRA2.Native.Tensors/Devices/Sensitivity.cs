using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Devices;

/// <summary>
/// A weight's running averages, from which its sensitivity S = Ī ∘ Ū is made: with I = |w g|, Ī ← β1 Ī + (1 − β1) I and then Ū ← β2 Ū + (1 − β2)|I − Ī|
/// (AdaLoRA, arXiv 2303.10512, equations 9 and 10). w is the weight after the optimiser's step and g the gradient that the step was made from, not clipped.
/// </summary>
/// <param name="Weight">w.</param>
/// <param name="Average">Ī, of its shape.</param>
/// <param name="Uncertainty">Ū, of its shape.</param>
/// <param name="Beta1">β1.</param>
/// <param name="Beta2">β2.</param>
internal readonly record struct Sensitivity(Tensor Weight, Tensor Average, Tensor Uncertainty, double Beta1, double Beta2)
{
    /// <summary>Takes the weight and its gradient, as they are, into the averages. No gradient counts as gradient 0.</summary>
    public void Update()
    {
        using var scope = new TensorScope();
        Tensor gradient = Weight.Grad ?? Tensor.Zeros(Weight.Shape, Weight.DType, Weight.Device);
        Weight.Device.Kernels.UpdateSensitivity(this, gradient);
    }
}
