using System.Numerics;
using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// A right operand of matrix products, packed once into the micro-kernel's panels: for weights that are frozen. It keeps no reference to
/// the memory it was packed from.
/// </summary>
internal sealed unsafe class PackedMatrix<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private T* data;

    /// <summary>Packs a matrix of <paramref name="rows"/> × <paramref name="columns"/>.</summary>
    /// <param name="source">Row-major elements.</param>
    /// <param name="step">Elements between rows as they lie in memory.</param>
    /// <param name="rows">Rows of the operand (inputs of a layer).</param>
    /// <param name="columns">Columns of the operand (outputs of a layer).</param>
    /// <param name="transposed">Whether memory holds columns × rows: a layer's weight as HuggingFace stores it, outputs × inputs.</param>
    public PackedMatrix(T* source, int step, int rows, int columns, bool transposed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        ArgumentOutOfRangeException.ThrowIfLessThan(step, transposed ? rows : columns);
        Rows = rows;
        Columns = columns;
        Path = SimdPaths.Current;
        int width = GemmPath<T>.PanelColumns(Path);
        long panels = ((long)columns + width - 1) / width;
        Bytes = panels * width * rows * sizeof(T);
        data = (T*)NativeMemory.AlignedAlloc((nuint)Math.Max(Bytes, 64), 64);
        PackPanels<T>.All(source, step, transposed, rows, columns, width, data);
    }

    ~PackedMatrix() => Free();

    /// <summary>Rows of the operand: the depth of a product with it.</summary>
    public int Rows { get; }

    /// <summary>Columns of the operand.</summary>
    public int Columns { get; }

    /// <summary>Native memory held, padding included.</summary>
    public long Bytes { get; }

    /// <summary>The path whose panels these are; products with this operand take it.</summary>
    public SimdPath Path { get; }

    /// <summary>The panels.</summary>
    /// <exception cref="ObjectDisposedException">The matrix was disposed.</exception>
    public T* Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(data == null, this);
            return data;
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(data);
        data = null;
    }
}
