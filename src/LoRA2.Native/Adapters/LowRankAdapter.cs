using LoRA2.Native.Tensors;

namespace LoRA2.Native.Adapters;

/// <summary>An adapter whose update of the weight is a product of two thin matrices, and that therefore also is a plain LoRA.</summary>
public abstract class LowRankAdapter : Adapter
{
    /// <summary>Makes the adapter of a layer.</summary>
    protected LowRankAdapter(string module)
        : base(module)
    {
    }

    /// <inheritdoc/>
    public override bool KeepsNothing => true;

    /// <summary>Factor of the update.</summary>
    public abstract double Scale { get; }

    /// <summary>A [r, in] and B [out, r] with B A = Δ, everything folded in but the scale; r is whatever the method has at hand.</summary>
    public abstract (Tensor A, Tensor B) LowRank();

    /// <summary>The update of the weight, [out, in], scale included.</summary>
    public Tensor Delta()
    {
        (Tensor a, Tensor b) = LowRank();
        return Ops.Scale(Ops.MatMul(b, a), Scale);
    }

    /// <inheritdoc/>
    public override Tensor Merged(Tensor weight) => Ops.Add(weight, Delta());
}
