using LoRA2.Native.Adapters.Methods;

namespace LoRA2.Native.Adapters;

/// <summary>Which part of the head is trained and saved with the adapter.</summary>
public enum HeadTraining
{
    /// <summary>All of it, the pooler too, as AdaLoRA's and LoRA2's authors do.</summary>
    All,

    /// <summary>What PEFT trains of its own accord: modules whose names end with "classifier", which is all of RoBERTa's head and DeBERTa's last layer.</summary>
    Classifier,
}

/// <summary>What is trained: the method with its own settings, where its adapters go, and how much of the head.</summary>
public sealed record AdapterSettings
{
    private readonly IReadOnlyList<string>? targets;

    /// <summary>The method and its settings.</summary>
    public AdapterMethod Method { get; init; } = new LoRA2Method();

    /// <summary>Patterns of the target layers, see <see cref="TargetModules"/>; the method's own when not set.</summary>
    public IReadOnlyList<string> Targets
    {
        get => targets ?? Method.DefaultTargets;
        init => targets = value;
    }

    /// <summary>How a PEFT config narrows the targets, or says them otherwise; plain for everything of our own.</summary>
    internal TargetSelection Selection { get; init; } = TargetSelection.Plain;

    /// <summary>What is to be known of a loaded adapter, each a sentence.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What of the head is trained.</summary>
    public HeadTraining Head { get; init; } = HeadTraining.All;

    /// <summary>Fields of a loaded adapter_config.json that mean nothing here; none of those known to change the computation.</summary>
    public IReadOnlyList<string> UnknownFields { get; init; } = [];
}
