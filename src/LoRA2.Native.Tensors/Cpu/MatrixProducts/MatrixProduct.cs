using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>The part of a matrix product's arguments that does not depend on how B is stored.</summary>
internal unsafe struct MatrixProduct<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public bool TransposedA;
    public int Rows;
    public int Columns;
    public int Depth;
    public T Alpha;
    public T* A;
    public int Lda;
    public T Beta;
    public T* C;
    public int Ldc;

    /// <exception cref="ArgumentOutOfRangeException">A size is negative, or a row is longer than the distance to the next.</exception>
    public readonly void Check()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Rows, "m");
        ArgumentOutOfRangeException.ThrowIfNegative(Columns, "n");
        ArgumentOutOfRangeException.ThrowIfNegative(Depth, "k");
        ArgumentOutOfRangeException.ThrowIfLessThan(Lda, TransposedA ? Rows : Depth, "lda");
        ArgumentOutOfRangeException.ThrowIfLessThan(Ldc, Columns, "ldc");
    }
}
