using LoRA2.Native.Encoders;

namespace LoRA2.Native.Adapters;

/// <summary>What methods with a rank have in common.</summary>
public abstract record LowRankMethod : AdapterMethod
{
    /// <summary>r.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>The update's scale is alpha / r.</summary>
    public double Alpha { get; init; } = 16;

    private protected const int MaxRank = 65536;
    private protected const double MaxAlpha = 1e6;

    /// <summary>What is trained has a scale that does something. A loaded adapter may have any: its scale may be negative on purpose, to take away what it learned.</summary>
    private const double LeastAlpha = 1e-6;

    /// <inheritdoc/>
    public override int InitialRank => Rank;

    /// <summary>α of an adapter_config.json, <c>lora_alpha</c>.</summary>
    protected static double ReadAlpha(ConfigFields fields) => fields.Number("lora_alpha", 8, -MaxAlpha, MaxAlpha);

    /// <summary><see cref="Rank"/> as an option, <c>--rank</c>.</summary>
    protected static MethodOption RankOption(string description) =>
        MethodOption.Int<LowRankMethod>("rank", description, method => method.Rank, (method, value) => method with { Rank = value }, 1, MaxRank);

    /// <summary><see cref="Alpha"/> as an option, <c>--alpha</c>.</summary>
    protected static MethodOption AlphaOption { get; } =
        MethodOption.Real<LowRankMethod>("alpha", "the update's scale is alpha / r", method => method.Alpha, (method, value) => method with { Alpha = value }, LeastAlpha, MaxAlpha);
}
