using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Adapters;

/// <summary>A low-rank adapter with singular values, which a <see cref="Training.RankAllocator"/> can prune by their importance.</summary>
public abstract class SingularValueAdapter : LowRankAdapter
{
    /// <summary>Makes the adapter of a layer.</summary>
    protected SingularValueAdapter(string module)
        : base(module)
    {
    }

    /// <summary>λ, contiguous; r values in whatever shape the method keeps them.</summary>
    public abstract Tensor SingularValues { get; }

    /// <inheritdoc/>
    public sealed override Tensor RankValues => SingularValues;

    /// <inheritdoc/>
    public override int EffectiveRank => RankSelection.CountNonZero(SingularValues);

    /// <summary>What the importance of a singular value is made of.</summary>
    public abstract IReadOnlyList<ScoredFactor> Scored();

    /// <summary>The places of the singular values that are not 0: what is saved.</summary>
    protected int[] Kept() => RankSelection.NonZero(SingularValues);
}
