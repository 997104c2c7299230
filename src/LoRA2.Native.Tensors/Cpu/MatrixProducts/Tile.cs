using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// The operands of one call of <see cref="MicroKernel{T, TVector, TSimd, TRows, TColumns}"/>. Steps are in elements.
/// </summary>
internal unsafe struct Tile<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>A's element (0, 0) of this tile; (i, p) is at i · <see cref="RowStep"/> + p · <see cref="DepthStep"/>.</summary>
    public T* A;
    public nint RowStep;
    public nint DepthStep;

    /// <summary>B's element (0, 0) of this tile; row p starts at p · <see cref="BStep"/>, and whole vectors are read.</summary>
    public T* B;
    public nint BStep;

    /// <summary>Elements from a row of <see cref="B"/> to one that a later tile reads, and that is fetched meanwhile.</summary>
    public nint Ahead;

    /// <summary>Length of the sum.</summary>
    public nint Depth;

    /// <summary>
    /// Second sum, added unscaled: a strip of <see cref="ISimd{T, TVector}.TileRows"/> rows by <see cref="Rank"/>, depth-major.
    /// </summary>
    public T* Left;

    /// <summary>Rows of whole vectors, <see cref="RightStep"/> apart.</summary>
    public T* Right;
    public nint RightStep;
    public nint Rank;

    /// <summary>Whole vectors added to every row, or null.</summary>
    public T* Bias;

    public T Alpha;
    public T Beta;
    public T* C;
    public nint CStep;
}
