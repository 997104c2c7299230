namespace LoRA2.Native.Tensors.Optimizers;

/// <summary>Settings of <see cref="Adafactor"/>, with HuggingFace's defaults.</summary>
public sealed record AdafactorOptions
{
    /// <summary>The learning rate; null for min(10⁻², 1/√t), or with <see cref="WarmUp"/> min(10⁻⁶ t, 1/√t).</summary>
    public double? LearningRate { get; init; }

    /// <summary>Added to the squared gradient.</summary>
    public double Epsilon1 { get; init; } = 1e-30;

    /// <summary>The least root mean square that a parameter counts with.</summary>
    public double Epsilon2 { get; init; } = 1e-3;

    /// <summary>The largest root mean square of an update.</summary>
    public double ClipThreshold { get; init; } = 1;

    /// <summary>The second moment decays with 1 − t to this power.</summary>
    public double DecayRate { get; init; } = -0.8;

    /// <summary>Decay of the average of the updates; null for none.</summary>
    public double? Beta1 { get; init; }

    /// <summary>Weight decay, taken off the parameter.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Whether the rate is multiplied by the parameter's root mean square.</summary>
    public bool ScaleParameter { get; init; } = true;

    /// <summary>Whether the rate starts small where none is given.</summary>
    public bool WarmUp { get; init; }
}

/// <summary>Adafactor (arXiv 1804.04235, algorithms 4 and 5) as HuggingFace runs it: of a matrix only the means of rows and columns of the squared gradient are kept.</summary>
public sealed class Adafactor(IEnumerable<OptimizerGroup> groups, AdafactorOptions? options = null) : Optimizer(groups, (options ?? new()).LearningRate ?? 1, (options ?? new()).WeightDecay)
{
    private readonly AdafactorOptions options = options ?? new();

    /// <inheritdoc/>
    protected override Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay)
    {
        int t = state.Steps;
        if (options.LearningRate is null) rate *= Math.Min(options.WarmUp ? 1e-6 * t : 1e-2, 1 / Math.Sqrt(t));
        if (options.ScaleParameter) rate *= Math.Max(options.Epsilon2, RootMeanSquare(value));
        double decay = 1 - Math.Pow(t, options.DecayRate);
        Tensor square = Ops.Square(gradient) + options.Epsilon1;
        Tensor update;
        if (value.Shape.Rank >= 2)
        {
            Tensor rowMeans = Ops.Mean(square, [-1]), columnMeans = Ops.Mean(square, [-2]);
            Tensor rows = state.Set("exp_avg_sq_row", (decay * state.Of("exp_avg_sq_row", rowMeans)) + ((1 - decay) * rowMeans));
            Tensor columns = state.Set("exp_avg_sq_col", (decay * state.Of("exp_avg_sq_col", columnMeans)) + ((1 - decay) * columnMeans));
            Tensor relative = rows / Ops.Mean(rows, [-1], keepDims: true);
            update = gradient * Ops.Unsqueeze(Ops.Rsqrt(relative), -1) * Ops.Unsqueeze(Ops.Rsqrt(columns), -2);
        }
        else
        {
            update = gradient * Ops.Rsqrt(state.Set("exp_avg_sq", (decay * state.Of("exp_avg_sq", value)) + ((1 - decay) * square)));
        }

        update = update / Math.Max(1, RootMeanSquare(update) / options.ClipThreshold) * rate;
        if (options.Beta1 is { } beta1) update = state.Set("exp_avg", (beta1 * state.Of("exp_avg", value)) + ((1 - beta1) * update));
        return value - (weightDecay * rate * value) - update;
    }

    private static double RootMeanSquare(Tensor x) => Math.Sqrt(Ops.Mean(Ops.Square(x)).Item());
}
