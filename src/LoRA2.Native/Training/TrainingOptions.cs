using LoRA2.Native.Adapters;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Training;

/// <summary>How the number of singular values shrinks; see <see cref="BudgetSchedule"/>.</summary>
/// <param name="TargetRank">Average number of singular values a matrix keeps in the end.</param>
/// <param name="WarmupSteps">t_i.</param>
/// <param name="FinalSteps">t_f.</param>
/// <param name="Interval">ΔT.</param>
public sealed record BudgetOptions(int TargetRank, int WarmupSteps, int FinalSteps, int Interval = 10);

/// <summary>Everything that decides a run's result, besides the model and the data.</summary>
public sealed record TrainingOptions
{
    /// <summary>What is trained.</summary>
    public AdapterSettings Adapter { get; init; } = new();

    /// <summary>Passes over the training data.</summary>
    public int Epochs { get; init; } = 3;

    /// <summary>Stops the run's schedule at this many steps when it is above 0, whatever the epochs.</summary>
    public int MaxSteps { get; init; }

    /// <summary>Steps of the whole run on that many examples.</summary>
    /// <exception cref="InputException">There would be 2³¹ or more.</exception>
    public int StepsOf(int examples)
    {
        if (MaxSteps > 0) return MaxSteps;
        long steps = (((long)examples - 1) / BatchSize + 1) * Epochs;
        return steps <= int.MaxValue ? (int)steps : throw new InputException($"{Epochs} epochs of {examples} examples in batches of {BatchSize} are {steps} steps; fewer than 2^31 were expected");
    }

    /// <summary>Examples of one optimiser step.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>
    /// Parts that a batch is computed in, one after the other or by several processes. The gradient is the whole batch's, summed in a tree over the parts: its bits depend on
    /// their number, and not on who computes which. Besides the gradient, the sums of up to log₂ of that number of parts are kept.
    /// </summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>Learning rate after the warm-up.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>How it goes on.</summary>
    public Decay Decay { get; init; } = Decay.Linear;

    /// <summary>Share of all steps that are warm-up, when <see cref="WarmupSteps"/> is null.</summary>
    public double WarmupShare { get; init; } = 0.06;

    /// <summary>Steps of warm-up, or null.</summary>
    public int? WarmupSteps { get; init; }

    /// <summary>Decoupled weight decay; biases and layer norms have none.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Limit of the gradient's norm; 0 for none.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Tokens after which an example was cut, for the record; null where nothing says so.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Factor of the learning rate of the head.</summary>
    public double HeadRate { get; init; } = 1;

    /// <summary>How ranks are pruned, or null for not at all.</summary>
    public BudgetOptions? Budget { get; init; }

    /// <summary>Steps between evaluations; 0: after each epoch.</summary>
    public int EvaluateEvery { get; init; }

    /// <summary>Examples of one evaluation batch.</summary>
    public int EvaluationBatchSize { get; init; } = 64;

    /// <summary>Evaluations without a better score after which the run stops; 0: never. With a budget they count from the final phase on.</summary>
    public int Patience { get; init; }

    /// <summary>Steps between checkpoints, beside those at evaluations; 0: none.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Seed of everything random.</summary>
    public ulong Seed { get; init; } = 42;

    /// <summary>Whether a layer's activations are computed again in the backward pass rather than kept: less memory, more time, the same bits.</summary>
    public bool Recompute { get; init; }

    /// <summary>Whether every op is checked for NaN and infinity.</summary>
    public bool DetectAnomaly { get; init; }
}
