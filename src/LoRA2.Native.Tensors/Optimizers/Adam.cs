namespace LoRA2.Native.Tensors.Optimizers;

/// <summary>
/// Adam (arXiv 1412.6980) as PyTorch orders it: m ← m + (1 − β₁)(g − m); v ← β₂ v + (1 − β₂) g²; w ← w − η/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε). Weight decay is added to the gradient; with <c>amsgrad</c> the largest v so far
/// takes v's place (arXiv 1904.09237).
/// </summary>
public class Adam(IEnumerable<OptimizerGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, bool amsgrad = false)
    : Optimizer(groups, learningRate, weightDecay)
{
    /// <inheritdoc/>
    protected override Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay) =>
        Moved(state, value, weightDecay == 0 ? gradient : gradient + (weightDecay * value), rate);

    /// <summary>The step itself, once the decay is done.</summary>
    private protected Tensor Moved(OptimizerState state, Tensor value, Tensor g, double rate)
    {
        Tensor first = state.Of("exp_avg", value), second = state.Of("exp_avg_sq", value);
        first = state.Set("exp_avg", first + ((1 - beta1) * (g - first)));
        second = state.Set("exp_avg_sq", (beta2 * second) + ((1 - beta2) * Ops.Square(g)));
        if (amsgrad) second = state.Set("max_exp_avg_sq", Ops.Maximum(state.Of("max_exp_avg_sq", value), second));
        Tensor root = (Ops.Sqrt(second) / Math.Sqrt(1 - Math.Pow(beta2, state.Steps))) + epsilon;
        return value - (rate / (1 - Math.Pow(beta1, state.Steps)) * (first / root));
    }
}

/// <summary>Adam whose weight decay is taken off the parameter, not added to the gradient (arXiv 1711.05101), as PyTorch has it.</summary>
public sealed class AdamW(IEnumerable<OptimizerGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0.01, bool amsgrad = false)
    : Adam(groups, learningRate, beta1, beta2, epsilon, weightDecay, amsgrad)
{
    /// <inheritdoc/>
    protected override Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay) =>
        Moved(state, (1 - (rate * weightDecay)) * value, gradient, rate);
}
