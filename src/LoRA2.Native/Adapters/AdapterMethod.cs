namespace LoRA2.Native.Adapters;

/// <summary>What is trained.</summary>
public enum AdapterMethod
{
    /// <summary>LoRA2's five factors on each target (arXiv 2408.06854).</summary>
    LoRA2,

    /// <summary>LoRA's two (arXiv 2106.09685).</summary>
    LoRA,

    /// <summary>No adapter: every weight.</summary>
    Full,
}

/// <summary>Which part of the head is trained and saved with the adapter.</summary>
public enum HeadTraining
{
    /// <summary>Pooler and classifier, as AdaLoRA's and LoRA2's authors do.</summary>
    PoolerAndClassifier,

    /// <summary>The classifier alone, PEFT's default for DeBERTa.</summary>
    Classifier,
}

/// <summary>The shape of the adapters on a model.</summary>
public sealed record AdapterSettings
{
    /// <summary>What is trained.</summary>
    public AdapterMethod Method { get; init; } = AdapterMethod.LoRA2;

    /// <summary>r: LoRA's rank, LoRA2's number of singular values.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>k: rank of LoRA2's outer factors.</summary>
    public int OuterRank { get; init; } = 8;

    /// <summary>The update's scale is alpha / r.</summary>
    public double Alpha { get; init; } = 16;

    /// <summary>σ of LoRA2's Gaussian initialisation.</summary>
    public double InitialDeviation { get; init; } = 0.02;

    /// <summary>Patterns of the target layers; see <see cref="TargetModules"/>.</summary>
    public IReadOnlyList<string> Targets { get; init; } = TargetModules.AllSix;

    /// <summary>What of the head is trained.</summary>
    public HeadTraining Head { get; init; } = HeadTraining.PoolerAndClassifier;
}
