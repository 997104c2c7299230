namespace LoRA2.Native.Adapters;

/// <summary>What methods with a rank have in common.</summary>
public abstract record LowRankMethod : AdapterMethod
{
    /// <summary>r.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>The update's scale is alpha / r.</summary>
    public double Alpha { get; init; } = 16;

    /// <inheritdoc/>
    public override int InitialRank => Rank;

    private protected static MethodOption RankOption(string description) =>
        MethodOption.Int<LowRankMethod>("rank", description, method => method.Rank, (method, value) => method with { Rank = value }, 1, 65536);

    private protected static MethodOption AlphaOption { get; } =
        MethodOption.Real<LowRankMethod>("alpha", "the update's scale is alpha / r", method => method.Alpha, (method, value) => method with { Alpha = value }, -1e6, 1e6);
}
