using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>
/// A frozen weight in 8 bits: element (p, j) is <see cref="Scales"/>[j] times an integer of −127 … 127, the scale being the column's largest size over 127. Laid out in panels of
/// columns, padded with zeros, for what multiplies them here: pairs of the depth together for any vectors, four together for <see cref="ByteCode"/>. It keeps no reference to the memory it was made from.
/// </summary>
internal sealed unsafe class Int8PackedMatrix : IDisposable
{
    /// <summary>Columns of a panel of pairs: its layout depends on no vector width.</summary>
    public const int PanelColumns = 16;

    /// <summary>The longest depth whose sums of products are certain to fit into 32 bits.</summary>
    public const int MostRows = int.MaxValue / (Levels * Levels);

    /// <summary>The largest integer.</summary>
    internal const int Levels = 127;

    private readonly long padded;
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
        (Rows, Columns, IsOfBytes) = (rows, columns, IsForBytes(rows));
        int lanes = IsOfBytes ? TileShape.Lanes : PanelColumns;
        long panels = (columns + lanes - 1L) / lanes;
        padded = panels * lanes;
        long factors = padded * sizeof(float) * (IsOfBytes ? 2 : 1), panel = IsOfBytes ? ByteRounding.StripBytes(rows) : PanelColumns * 2L * Pairs;
        Bytes = factors + (panels * panel);
        memory = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(Bytes, 64), 64);
        NativeMemory.Clear(memory, (nuint)Bytes);
        ThreadTeam.Run((int)panels, new WeightRounding(source, step, rows, columns, IsOfBytes, panel, Scales, IsOfBytes ? Sums : null, Panels));
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

    /// <summary>Whether rows of bytes are multiplied with it, by <see cref="ByteCode"/>.</summary>
    public bool IsOfBytes { get; }

    /// <summary>Whether a matrix packed here and now would be laid out as this one.</summary>
    public bool IsCurrent => IsOfBytes == IsForBytes(Rows);

    /// <summary>The sum of each column's rounded weights, padded as <see cref="Scales"/>; of bytes only.</summary>
    public float* Sums => Scales + padded;

    /// <summary>
    /// The panels. Of pairs, element (p, j) of a panel is at (p / 2) · 2 · <see cref="PanelColumns"/> + 2 j + p mod 2; of bytes, it is in a tile's row of 16 columns' four: see <see cref="WeightRounding"/>.
    /// </summary>
    public sbyte* Panels => (sbyte*)(Scales + (padded * (IsOfBytes ? 2 : 1)));

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

    private static bool IsForBytes(int rows) => rows <= ByteCode.MostDepth && ByteCode.IsCurrent;
}
