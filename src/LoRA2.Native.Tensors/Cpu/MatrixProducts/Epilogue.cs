using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// What a matrix product adds to C (m × n) while the tile is still in registers: C += LowRankScale · Left · Right + Bias in every row. The default
/// value adds nothing.
/// </summary>
internal unsafe struct Epilogue<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>n values added to every row, or null.</summary>
    public T* Bias;

    /// <summary>
    /// m × <see cref="Rank"/>, row-major: with an adapter, the input times its first factor. Read only if <see cref="Rank"/> &gt; 0.
    /// </summary>
    public T* Left;

    /// <summary>Elements between rows of <see cref="Left"/>.</summary>
    public int LeftStride;

    /// <summary><see cref="Rank"/> × n, row-major; n × <see cref="Rank"/> if <see cref="RightTransposed"/>.</summary>
    public T* Right;

    /// <summary>Elements between rows of <see cref="Right"/> as it lies in memory.</summary>
    public int RightStride;

    /// <summary>Whether <see cref="Right"/> is stored as n × <see cref="Rank"/>.</summary>
    public bool RightTransposed;

    /// <summary>Columns of <see cref="Left"/>; 0 if there is no low-rank term.</summary>
    public int Rank;

    /// <summary>Factor of the low-rank term.</summary>
    public T LowRankScale;

    /// <exception cref="ArgumentOutOfRangeException">The rank is negative, or a row of a factor is longer than the distance to the
    /// next.</exception>
    public readonly void Check(int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Rank);
        if (Rank == 0) return;
        ArgumentOutOfRangeException.ThrowIfLessThan(LeftStride, Rank);
        ArgumentOutOfRangeException.ThrowIfLessThan(RightStride, RightTransposed ? Rank : columns);
    }
}
