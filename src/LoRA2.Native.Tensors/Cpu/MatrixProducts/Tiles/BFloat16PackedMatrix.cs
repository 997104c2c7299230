using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// A right operand of bfloat16 products, rounded or split and packed once: for weights that are frozen. It keeps no reference to the memory it
/// was packed from.
/// </summary>
internal sealed unsafe class BFloat16PackedMatrix : IDisposable
{
    private readonly PackedMatrix<float>? rounded;
    private byte* panels;

    /// <summary>Packs a float32 matrix of <paramref name="rows"/> × <paramref name="columns"/>.</summary>
    /// <param name="source">Row-major elements.</param>
    /// <param name="step">Elements between rows as they lie in memory.</param>
    /// <param name="rows">Rows of the operand (inputs of a layer).</param>
    /// <param name="columns">Columns of the operand (outputs of a layer).</param>
    /// <param name="transposed">Whether memory holds columns × rows: a layer's weight as HuggingFace stores it, outputs × inputs.</param>
    /// <param name="precision">A precision of bfloat16 terms.</param>
    public BFloat16PackedMatrix(float* source, int step, int rows, int columns, bool transposed, Precision precision)
        : this(step, rows, columns, transposed, precision)
    {
        if (Path != BFloat16Path.Vector)
        {
            TilePanels<float, FloatSource>.All(source, step, transposed, rows, columns, TileShape.Terms(precision), panels);
            return;
        }

        if (precision != Precision.BFloat16)
        {
            rounded = new PackedMatrix<float>(source, step, rows, columns, transposed);
            Bytes = rounded.Bytes;
            return;
        }

        rounded = Pack(transposed, copy => RoundedCopy.Round(source, step, StoredRows(transposed), StoredColumns(transposed), (float*)copy));
        Bytes = rounded.Bytes;
    }

    /// <summary>Packs a matrix of <paramref name="rows"/> × <paramref name="columns"/> that is stored as bfloat16.</summary>
    /// <inheritdoc cref="BFloat16PackedMatrix(float*, int, int, int, bool, Precision)" path="/param"/>
    public BFloat16PackedMatrix(ushort* source, int step, int rows, int columns, bool transposed, Precision precision)
        : this(step, rows, columns, transposed, precision)
    {
        if (Path != BFloat16Path.Vector)
        {
            TilePanels<ushort, BFloat16Source>.All(source, step, transposed, rows, columns, TileShape.Terms(precision), panels);
            return;
        }

        rounded = Pack(transposed, copy => RoundedCopy.Widen(source, step, StoredRows(transposed), StoredColumns(transposed), (float*)copy));
        Bytes = rounded.Bytes;
    }

    private BFloat16PackedMatrix(int step, int rows, int columns, bool transposed, Precision precision)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        ArgumentOutOfRangeException.ThrowIfLessThan(step, transposed ? rows : columns);
        (Rows, Columns, Precision, Path) = (rows, columns, precision, BFloat16Paths.Of(precision));
        int terms = TileShape.Terms(precision);
        if (Path == BFloat16Path.Vector) return;
        Bytes = TileShape.Slices(columns) * TileShape.SliceBytes(rows, terms);
        panels = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(Bytes, 64), 64);
    }

    ~BFloat16PackedMatrix() => Free();

    /// <summary>Rows of the operand: the depth of a product with it.</summary>
    public int Rows { get; }

    /// <summary>Columns of the operand.</summary>
    public int Columns { get; }

    /// <summary>The precision of products with it.</summary>
    public Precision Precision { get; }

    /// <summary>The path it is packed for; products with it take it.</summary>
    public BFloat16Path Path { get; }

    /// <summary>Native memory held, padding included.</summary>
    public long Bytes { get; }

    /// <summary>Whether a matrix packed here and now would be laid out as this one.</summary>
    public bool IsCurrent => Path == BFloat16Paths.Of(Precision) && (rounded == null || rounded.Path == SimdPaths.Current);

    /// <summary>The panels, packed by blocks.</summary>
    /// <exception cref="ObjectDisposedException">The matrix was disposed.</exception>
    public byte* Panels
    {
        get
        {
            ObjectDisposedException.ThrowIf(panels == null, this);
            return panels;
        }
    }

    /// <summary>The rounded elements, packed for vector code: on the vector path only.</summary>
    public PackedMatrix<float> Rounded =>
        rounded ?? throw new InvalidOperationException("This matrix is packed by blocks of bfloat16 and has no panels for vector code.");

    public void Dispose()
    {
        rounded?.Dispose();
        Free();
        GC.SuppressFinalize(this);
    }

    private int StoredRows(bool transposed) => transposed ? Columns : Rows;

    private int StoredColumns(bool transposed) => transposed ? Rows : Columns;

    private PackedMatrix<float> Pack(bool transposed, Action<nint> fill)
    {
        void* copy = NativeMemory.AlignedAlloc((nuint)Math.Max(64, (long)Rows * Columns * sizeof(float)), 64);
        try
        {
            fill((nint)copy);
            return new PackedMatrix<float>((float*)copy, StoredColumns(transposed), Rows, Columns, transposed);
        }
        finally
        {
            NativeMemory.AlignedFree(copy);
        }
    }

    private void Free()
    {
        NativeMemory.AlignedFree(panels);
        panels = null;
    }
}
