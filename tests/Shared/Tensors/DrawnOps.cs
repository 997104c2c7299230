using LoRA2.Native.Tensors.Checks;

namespace LoRA2.Native.Tests.Shared.Tensors;

/// <summary>Ops and the seed of a case of each: immutable, so that it can be printed and shrunk.</summary>
public sealed record DrawnOps(IReadOnlyList<OpEntry> Ops, int Seed)
{
    /// <summary>The greatest extent.</summary>
    public int MostExtent { get; init; } = int.MaxValue;

    /// <summary>Checks the case of every op, each in the current scope.</summary>
    /// <exception cref="InvalidOperationException">A check failed; the message names the op.</exception>
    public void Each(Action<DrawnOp> check)
    {
        foreach (OpEntry op in Ops)
        {
            var drawn = new DrawnOp(op, Seed) { MostExtent = MostExtent };
            try
            {
                check(drawn);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{drawn}: {e.Message}", e);
            }
        }
    }

    public override string ToString() => Ops.Count == 1 ? new DrawnOp(Ops[0], Seed) { MostExtent = MostExtent }.ToString() : $"{Ops.Count} ops, seed {Seed}";
}
