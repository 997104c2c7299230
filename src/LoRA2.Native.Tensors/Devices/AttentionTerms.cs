using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Devices;

/// <summary>How an attention is computed beside q, k and v.</summary>
/// <param name="Heads">Number of heads; the width is a multiple of it.</param>
/// <param name="Scale">Factor of every score.</param>
/// <param name="Mask">[batch, length] Int32, 0 where a token is padding, or null.</param>
/// <param name="MaskQueries">Whether a padding token's own row is masked too (DeBERTa), so that its probabilities are all 0.</param>
/// <param name="Dropout">Dropout of the probabilities; element index as in [batch, heads, length, length].</param>
/// <param name="PositionKey">[positions, width]: content-to-position keys, or null.</param>
/// <param name="PositionQuery">[positions, width]: position-to-content queries, or null.</param>
/// <param name="PositionOf">Row of the position tables for each distance query − key, from −(length − 1) to length − 1.</param>
/// <param name="Precision">
/// Precision of the products, for Float32 tensors: with BFloat16, and a tile unit or AVX512-BF16, their operands are rounded. Else they are computed in float32, which is
/// within every precision's error and not slower.
/// </param>
public readonly record struct AttentionTerms(
    int Heads,
    double Scale,
    Tensor? Mask = null,
    bool MaskQueries = false,
    DropoutMask Dropout = default,
    Tensor? PositionKey = null,
    Tensor? PositionQuery = null,
    int[]? PositionOf = null,
    Precision Precision = Precision.Float32)
{
    /// <summary>
    /// [sequences + 1] Int32: where each sequence begins, and where the last ends; or null: sequences are all of one length, and padding is masked. With it q, k and v are
    /// [tokens, 1, width], the sequences one after the other without padding, and there is no mask. On the CPU alone.
    /// </summary>
    public Tensor? Starts { get; init; }

    /// <summary>With <see cref="Starts"/>, the length that distances and the elements of dropout are counted by, as in a batch padded to it: that of the longest sequence at least.</summary>
    public int Longest { get; init; }

    /// <summary>Number of sequences, and the length they are counted by.</summary>
    internal (int Sequences, int Length) Extent(Tensor q) => Starts is null ? (q.Shape[0], q.Shape[1]) : (Starts.Count - 1, Longest);
}
