namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// The arguments of one call of a tile kernel, read by assembled code: the order of the fields is fixed (their offsets come first). It makes one block of C, of up to 32 × 32.
/// </summary>
internal unsafe struct TileCall
{
    public const int OffsetA = 0, OffsetB = 8, OffsetSteps = 16, OffsetLeft = 24, OffsetRight = 32, OffsetRankSteps = 40;
    public const int OffsetC = 48, OffsetCStep = 56, OffsetStart = 64, OffsetTarget = 72, OffsetTargetStep = 80, OffsetSecond = 88;
    public const int OffsetSecondStep = 96, OffsetNext = 104, OffsetStartStep = 112;

    /// <summary>A's packed strip, from the first step of the sum on.</summary>
    public byte* A;

    /// <summary>B's packed panel, from the first step of the sum on.</summary>
    public byte* B;

    /// <summary>Steps of the sum, 32 terms each; 0 or more.</summary>
    public nint Steps;

    /// <summary>Packed strip of a second sum, added to the first, of one bfloat16 term whatever the kernel's.</summary>
    public byte* Left;

    /// <summary>Packed panel of the second sum.</summary>
    public byte* Right;

    /// <summary>Steps of the second sum; 0 or more.</summary>
    public nint RankSteps;

    /// <summary>Where the block goes.</summary>
    public float* C;

    /// <summary>Bytes between rows of <see cref="C"/>.</summary>
    public nint CStep;

    /// <summary>What the sums start from: rows of 32 floats (one and the same for all, the bias; or the block of C), or null for zero.</summary>
    public float* Start;

    /// <summary>
    /// Memory that is written to soon after, fetched into the cache meanwhile: 32 rows of two cache lines. C's block, even where the sums go to a
    /// buffer first.
    /// </summary>
    public void* Target;

    /// <summary>Bytes between rows of <see cref="Target"/>.</summary>
    public nint TargetStep;

    /// <summary>Memory that is read soon after, fetched likewise: the residual's block, or else that of C.</summary>
    public void* Second;

    /// <summary>Bytes between rows of <see cref="Second"/>.</summary>
    public nint SecondStep;

    /// <summary>A piece of the next panel of B, fetched into the second-level cache meanwhile: 512 bytes a step and term, or what <see cref="DotKernels"/> says.</summary>
    public byte* Next;

    /// <summary>Bytes between rows of <see cref="Start"/>; 0 where all start from one.</summary>
    public nint StartStep;
}
