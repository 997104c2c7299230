using System.Runtime.InteropServices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>
/// A frozen weight in 8 bits: element (p, j) is <see cref="Scales"/>[j] times an integer of −127 … 127, the scale being the column's largest size over 127. Laid out in panels of
/// <see cref="PanelColumns"/> columns, pairs of the depth together, padded with zeros. It keeps no reference to the memory it was made from.
/// </summary>
internal sealed unsafe class Int8PackedMatrix : IDisposable
{
    /// <summary>Columns of a panel, on every path: the layout depends on no vector width.</summary>
    public const int PanelColumns = 16;

    /// <summary>The longest depth whose sums of products are certain to fit into 32 bits.</summary>
    public const int MostRows = int.MaxValue / (Levels * Levels);

    /// <summary>The largest integer.</summary>
    internal const int Levels = 127;

    private byte* memory;

    /// <summary>Rounds a matrix of <paramref name="rows"/> × <paramref name="columns"/>.</summary>
    /// <param name="source">Element (0, 0): memory holds columns × rows, as HuggingFace stores a layer's weight.</param>
    /// <param name="step">Elements between the starts of two columns in memory.</param>
    /// <param name="rows">Rows of the operand (inputs of a layer), at most <see cref="MostRows"/>.</param>
    /// <param name="columns">Columns of the operand (outputs of a layer).</param>
    public Int8PackedMatrix(float* source, int step, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, MostRows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        ArgumentOutOfRangeException.ThrowIfLessThan(step, rows);
        (Rows, Columns) = (rows, columns);
        long padded = (columns + PanelColumns - 1L) / PanelColumns * PanelColumns;
        long scales = padded * sizeof(float), panels = padded * 2 * Pairs;
        Bytes = scales + panels;
        memory = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(Bytes, 64), 64);
        NativeMemory.Clear(memory, (nuint)Bytes);
        ThreadTeam.Run((int)(padded / PanelColumns), new Rounding(source, step, rows, columns, Pairs, (float*)memory, (sbyte*)(memory + scales)));
    }

    ~Int8PackedMatrix() => Free();

    /// <summary>Rows of the operand: the depth of a product with it.</summary>
    public int Rows { get; }

    /// <summary>Columns of the operand.</summary>
    public int Columns { get; }

    /// <summary>Pairs of rows, the last one padded.</summary>
    public int Pairs => (Rows + 1) / 2;

    /// <summary>Native memory held, padding included.</summary>
    public long Bytes { get; }

    /// <summary>A factor for each column, padded with zeros to whole panels.</summary>
    /// <exception cref="ObjectDisposedException">The matrix was disposed.</exception>
    public float* Scales
    {
        get
        {
            ObjectDisposedException.ThrowIf(memory == null, this);
            return (float*)memory;
        }
    }

    /// <summary>The panels: element (p, j) of a panel is at (p / 2) · 2 · <see cref="PanelColumns"/> + 2 j + p mod 2.</summary>
    public sbyte* Panels => (sbyte*)(Scales + ((Columns + PanelColumns - 1L) / PanelColumns * PanelColumns));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
    }

    /// <summary>Rounds a panel a part.</summary>
    private readonly struct Rounding(float* source, int step, int rows, int columns, int pairs, float* scales, sbyte* panels) : IParallelTask
    {
        public void Run(int index)
        {
            sbyte* panel = panels + ((long)index * pairs * 2 * PanelColumns);
            for (int j = 0; j < PanelColumns && (index * PanelColumns) + j < columns; j++)
            {
                int column = (index * PanelColumns) + j;
                float* from = source + ((long)column * step);
                float largest = 0;
                for (int p = 0; p < rows; p++) largest = MathF.Max(largest, MathF.Abs(from[p]));
                float inverse = RowRounding.Inverse(largest, Levels);
                // An infinity has the inverse 0 too; its scale makes the column NaN.
                scales[column] = largest < RowRounding.Smallest ? 0 : largest / Levels;
                for (int p = 0; p < rows; p++) panel[((p >> 1) * 2 * PanelColumns) + (2 * j) + (p & 1)] = (sbyte)MathF.Round(from[p] * inverse);
            }
        }
    }
}
