using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>A dropout as kernels that go by rows take it.</summary>
/// <param name="mask">The dropout, whose tensor of rows the caller holds.</param>
internal readonly unsafe struct RowDropout(DropoutMask mask)
{
    private readonly long* rows = mask.Rows is { } picked ? (long*)picked.Pointer : null;

    /// <summary>Chance of an element to be dropped.</summary>
    public double Probability { get; } = mask.Probability;

    /// <summary>The words that decide.</summary>
    public Philox Random { get; } = mask.Random;

    /// <summary>The number of a row's first element.</summary>
    public ulong First(nint row, nint columns) => (ulong)((rows == null ? row : (nint)rows[row]) * columns);
}
