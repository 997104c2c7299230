using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Checks;

/// <content>Ops of rows that were picked from a padded whole, under names of their own: only the CPU has their kernels.</content>
public static partial class OpCatalogue
{
    private static IEnumerable<OpEntry> OfPickedRows()
    {
        yield return new($"{nameof(Ops.AddLayerNorm)}, picked rows", source => AddLayerNorm(source, picksRows: true));
        yield return new($"{nameof(Ops.Attention)}, without padding", source => Attention(source, disentangled: false, packed: true));
        yield return new($"{nameof(Ops.DisentangledAttention)}, without padding", source => Attention(source, disentangled: true, packed: true));
        yield return new($"{nameof(Ops.Dropout)}, picked rows", source => Dropout(source, picksRows: true)) { IsTwiceDifferentiable = true };
    }

    /// <summary>The same of rows that rise by 1 to 4, as those of tokens without padding do.</summary>
    private static DropoutMask OfRows(DropoutMask mask, Shape shape, CaseSource source)
    {
        long[] rows = new long[shape.Rows];
        for (int i = 0; i < rows.Length; i++) rows[i] = (i == 0 ? -1 : rows[i - 1]) + source.Int(1, 4);
        return mask with { Rows = Tensor.From(rows, [rows.Length]) };
    }

    /// <summary>Where sequences of up to so many tokens each begin, one after the other.</summary>
    private static (Tensor Starts, int Tokens) Starts(CaseSource source, int sequences, int longest)
    {
        int[] starts = new int[sequences + 1];
        for (int i = 0; i < sequences; i++) starts[i + 1] = starts[i] + source.Int(0, longest);
        return (Tensor.From(starts, [starts.Length]), starts[^1]);
    }
}
