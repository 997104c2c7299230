namespace LoRA2.Native.Tensors.Optimizers;

/// <summary>Adagrad (Duchi, Hazan and Singer, JMLR 2011) as PyTorch has it: each element's rate falls with the sum of its squared gradients.</summary>
public sealed class Adagrad(IEnumerable<OptimizerGroup> groups, double learningRate = 1e-2, double rateDecay = 0, double weightDecay = 0, double initialSum = 0, double epsilon = 1e-10)
    : Optimizer(groups, learningRate, weightDecay)
{
    /// <inheritdoc/>
    protected override Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay)
    {
        Tensor g = weightDecay == 0 ? gradient : gradient + (weightDecay * value);
        Tensor sum = state.Set("sum", state.Of("sum", value.Shape, value, initialSum) + Ops.Square(g));
        return value - (rate / (1 + ((state.Steps - 1) * rateDecay)) * (g / (Ops.Sqrt(sum) + epsilon)));
    }
}

/// <summary>Adadelta (arXiv 1212.5701) as PyTorch has it: steps are scaled by the root of the squares of those before.</summary>
public sealed class Adadelta(IEnumerable<OptimizerGroup> groups, double learningRate = 1, double rho = 0.9, double epsilon = 1e-6, double weightDecay = 0)
    : Optimizer(groups, learningRate, weightDecay)
{
    /// <inheritdoc/>
    protected override Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay)
    {
        Tensor g = weightDecay == 0 ? gradient : gradient + (weightDecay * value);
        Tensor square = state.Set("square_avg", (rho * state.Of("square_avg", value)) + ((1 - rho) * Ops.Square(g)));
        Tensor steps = state.Of("acc_delta", value);
        Tensor delta = Ops.Sqrt(steps + epsilon) / Ops.Sqrt(square + epsilon) * g;
        state.Set("acc_delta", (rho * steps) + ((1 - rho) * Ops.Square(delta)));
        return value - (rate * delta);
    }
}

/// <summary>RMSprop (Hinton's lecture 6e, 2012) as PyTorch has it; centred, the gradient's variance takes the place of its square.</summary>
public sealed class RmsProp(
    IEnumerable<OptimizerGroup> groups, double learningRate = 1e-2, double alpha = 0.99, double epsilon = 1e-8, double weightDecay = 0, double momentum = 0, bool centered = false)
    : Optimizer(groups, learningRate, weightDecay)
{
    /// <inheritdoc/>
    protected override Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay)
    {
        Tensor g = weightDecay == 0 ? gradient : gradient + (weightDecay * value);
        Tensor square = state.Set("square_avg", (alpha * state.Of("square_avg", value)) + ((1 - alpha) * Ops.Square(g)));
        if (centered) square -= Ops.Square(state.Set("grad_avg", (alpha * state.Of("grad_avg", value)) + ((1 - alpha) * g)));
        Tensor step = g / (Ops.Sqrt(square) + epsilon);
        if (momentum > 0) step = state.Set("momentum_buffer", (momentum * state.Of("momentum_buffer", value)) + step);
        return value - (rate * step);
    }
}

/// <summary>Lion (arXiv 2302.06675, algorithm 2): the sign of a momentum; the weight decay is taken off the parameter.</summary>
public sealed class Lion(IEnumerable<OptimizerGroup> groups, double learningRate = 1e-4, double beta1 = 0.9, double beta2 = 0.99, double weightDecay = 0)
    : Optimizer(groups, learningRate, weightDecay)
{
    /// <inheritdoc/>
    protected override Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay)
    {
        Tensor momentum = state.Of("exp_avg", value);
        Tensor direction = Ops.Sign((beta1 * momentum) + ((1 - beta1) * gradient));
        state.Set("exp_avg", (beta2 * momentum) + ((1 - beta2) * gradient));
        return ((1 - (rate * weightDecay)) * value) - (rate * direction);
    }
}
