using LoRA2.Native.Tensors.Checks;

namespace LoRA2.Native.Tests.Shared.Tensors;

/// <summary>An op and the seed of a case of it.</summary>
public sealed record DrawnOp(OpEntry Op, int Seed)
{
    /// <summary>The greatest extent.</summary>
    public int MostExtent { get; init; } = int.MaxValue;

    /// <summary>The case, in the current scope; some inputs reach the op as views that are not contiguous.</summary>
    public OpCase Draw() => Op.DrawWithViews(new CaseSource(Seed) { MostExtent = MostExtent });

    public override string ToString() => $"{Op.Name}, seed {Seed}{(MostExtent == int.MaxValue ? "" : $", extents up to {MostExtent}")}";
}
