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
    Precision Precision = Precision.Float32);
