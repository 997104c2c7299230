using System.Numerics;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// What a matrix product adds to C (m × n) before the tile leaves the first-level cache: C += LowRankScale · Left · Right + Bias in every row
/// + Residual, and what it writes beside C. The default value adds nothing.
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

    /// <summary>m × n, added to every element after the rest, or null.</summary>
    public T* Residual;

    /// <summary>Elements between rows of <see cref="Residual"/>.</summary>
    public int ResidualStride;

    /// <summary>Where the activation of C goes (m × n, rows as far apart as C's), once everything was added; or null. C holds its argument, unless it is C.</summary>
    public T* Activated;

    /// <summary>What <see cref="Activated"/> receives.</summary>
    public Activation Activation;

    /// <summary>Whether nothing is added or written.</summary>
    public readonly bool IsEmpty => Bias == null && Rank == 0 && Residual == null && Activated == null;

    /// <exception cref="ArgumentOutOfRangeException">The rank is negative, or a row of a factor or the residual is longer than the distance
    /// to the next.</exception>
    public readonly void Check(int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Rank);
        if (Residual != null) ArgumentOutOfRangeException.ThrowIfLessThan(ResidualStride, columns);
        if (Rank == 0) return;
        ArgumentOutOfRangeException.ThrowIfLessThan(LeftStride, Rank);
        ArgumentOutOfRangeException.ThrowIfLessThan(RightStride, RightTransposed ? Rank : columns);
    }
}
