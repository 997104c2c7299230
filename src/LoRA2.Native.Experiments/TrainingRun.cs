using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tasks;
using LoRA2.Native.Training;

namespace LoRA2.Native.Experiments;

/// <summary>A fine-tuning run as <see cref="RunRecord"/> and <see cref="Reporting.RunReport"/> show it: what was asked for, the data, the model and the trainer.</summary>
public sealed record TrainingRun
{
    /// <summary>What the model is called: its folder, or another name that an adapter's config gives it.</summary>
    public required string ModelName { get; init; }

    /// <summary>The folder that the result goes to.</summary>
    public required string Output { get; init; }

    /// <summary>The folder of the adapter that training went on from, or null.</summary>
    public string? Earlier { get; init; }

    /// <summary>The step after which the run was resumed, which its times count from; 0 for a run in one go.</summary>
    public int ResumedAfter { get; init; }

    /// <summary>What computes, in words; null for the device's own name.</summary>
    public string? DeviceName { get; init; }

    /// <summary>The trainer's options.</summary>
    public required TrainingOptions Options { get; init; }

    /// <summary>What is learned, and from what.</summary>
    public required RunData Data { get; init; }

    /// <summary>The accuracy that counting words reaches, see <see cref="NaiveBayes"/>; null for none.</summary>
    public double? WordCounting { get; init; }

    /// <summary>The training data as tokens.</summary>
    public required TokenizedDataset Train { get; init; }

    /// <summary>The development data as tokens, or null.</summary>
    public TokenizedDataset? Development { get; init; }

    /// <summary>What was found on held-out training data at the end, and what the development data score with it; null where nothing was to be found.</summary>
    public FittedKind? Fitted { get; init; }

    /// <summary>The model that is trained.</summary>
    public required SequenceClassifier Model { get; init; }

    /// <summary>What trains it.</summary>
    public required Trainer Trainer { get; init; }
}

/// <summary>A kind of task with what was found on held-out training data.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Development">What the development data score with it, or null without them.</param>
public sealed record FittedKind(TaskKind Kind, Evaluation? Development);
