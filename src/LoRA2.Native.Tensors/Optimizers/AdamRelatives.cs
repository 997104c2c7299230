namespace LoRA2.Native.Tensors.Optimizers;

/// <summary>Adam with the largest of the decayed gradients in place of the root of the second moment (arXiv 1412.6980, section 7.1), as PyTorch has it.</summary>
public sealed class Adamax(IEnumerable<OptimizerGroup> groups, double learningRate = 2e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0)
    : Optimizer(groups, learningRate, weightDecay)
{
    /// <inheritdoc/>
    protected override Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay)
    {
        Tensor g = weightDecay == 0 ? gradient : gradient + (weightDecay * value);
        Tensor first = state.Set("exp_avg", (beta1 * state.Of("exp_avg", value)) + ((1 - beta1) * g));
        Tensor largest = state.Set("exp_inf", Ops.Maximum(beta2 * state.Of("exp_inf", value), Ops.Abs(g) + epsilon));
        return value - (rate / (1 - Math.Pow(beta1, state.Steps)) * (first / largest));
    }
}

/// <summary>
/// Adam with Nesterov's momentum (Dozat, "Incorporating Nesterov momentum into Adam", 2016), as PyTorch 1.13 has it: the product of momenta up to the next step has this step's twice (later versions, once).
/// </summary>
public sealed class NAdam(
    IEnumerable<OptimizerGroup> groups, double learningRate = 2e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, double momentumDecay = 4e-3)
    : Optimizer(groups, learningRate, weightDecay)
{
    /// <inheritdoc/>
    protected override Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay)
    {
        Tensor g = weightDecay == 0 ? gradient : gradient + (weightDecay * value);
        double now = Momentum(state.Steps), next = Momentum(state.Steps + 1);
        // PyTorch keeps the product in single precision, whatever the parameter's type.
        double product = (float)state.Of("mu_product", [], Tensor.Scalar(0), 1).Item() * (float)now;
        state.Set("mu_product", Tensor.Scalar(product));
        Tensor first = state.Set("exp_avg", (beta1 * state.Of("exp_avg", value)) + ((1 - beta1) * g));
        Tensor second = state.Set("exp_avg_sq", (beta2 * state.Of("exp_avg_sq", value)) + ((1 - beta2) * Ops.Square(g)));
        Tensor root = Ops.Sqrt(second / (1 - Math.Pow(beta2, state.Steps))) + epsilon;
        return value - (rate * (1 - now) / (1 - product) * (g / root)) - (rate * next / (1 - (product * now * next)) * (first / root));
    }

    private double Momentum(int step) => beta1 * (1 - (0.5 * Math.Pow(0.96, step * momentumDecay)));
}

/// <summary>Adam whose first steps, where the second moment is not known well, do without it (arXiv 1908.03265), as PyTorch has it.</summary>
public sealed class RAdam(IEnumerable<OptimizerGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0)
    : Optimizer(groups, learningRate, weightDecay)
{
    /// <inheritdoc/>
    protected override Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay)
    {
        Tensor g = weightDecay == 0 ? gradient : gradient + (weightDecay * value);
        Tensor first = state.Set("exp_avg", (beta1 * state.Of("exp_avg", value)) + ((1 - beta1) * g));
        Tensor second = state.Set("exp_avg_sq", (beta2 * state.Of("exp_avg_sq", value)) + ((1 - beta2) * Ops.Square(g)));
        int t = state.Steps;
        double correction2 = 1 - Math.Pow(beta2, t);
        double most = (2 / (1 - beta2)) - 1;
        double length = most - (2 * t * Math.Pow(beta2, t) / correction2);
        Tensor step = rate / (1 - Math.Pow(beta1, t)) * first;
        if (length <= 5) return value - step;
        double rectified = Math.Sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length));
        return value - (step * (Math.Sqrt(correction2) * rectified / (Ops.Sqrt(second) + epsilon)));
    }
}
