namespace LoRA2.Native.Tensors.Optimizers;

/// <summary>Stochastic gradient descent, with momentum (Sutskever et al., ICML 2013) as PyTorch has it: b ← μ b + (1 − damping) g, the first b being g; w ← w − η b, or with Nesterov's form w − η (g + μ b).</summary>
public sealed class Sgd(
    IEnumerable<OptimizerGroup> groups, double learningRate, double momentum = 0, double dampening = 0, double weightDecay = 0, bool nesterov = false, bool maximize = false)
    : Optimizer(groups, learningRate, weightDecay)
{
    /// <inheritdoc/>
    protected override Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay)
    {
        Tensor g = maximize ? -gradient : gradient;
        if (weightDecay != 0) g += weightDecay * value;
        if (momentum != 0)
        {
            Tensor buffer = state.Set("momentum_buffer", state.Steps == 1 ? g : (momentum * state.Of("momentum_buffer", value)) + ((1 - dampening) * g));
            g = nesterov ? g + (momentum * buffer) : buffer;
        }

        return value - (rate * g);
    }
}
