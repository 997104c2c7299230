using System.Numerics;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>
/// A right operand in panels of columns, for vector code (<see cref="Data"/>), packed in bfloat16 tiles (<see cref="Tiles"/>), or both.
/// </summary>
internal unsafe struct RightOperand<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Row p of panel j starts at j · <see cref="PanelStep"/> + p · <see cref="Step"/> elements and has whole vectors, zero-padded.</summary>
    public T* Data;
    public nint PanelStep;
    public nint Step;

    /// <summary>The panels of bfloat16 tiles, or null where vector code computes.</summary>
    public byte* Tiles;

    /// <summary>Bytes between them.</summary>
    public nint TileStep;

    /// <summary>The operand from a row on, a multiple of <see cref="TileShape.Depth"/>.</summary>
    public readonly RightOperand<T> From(int row)
    {
        RightOperand<T> rest = this;
        rest.Data += row * Step;
        if (Tiles != null) rest.Tiles += row / TileShape.Depth * BlockCode.GroupBytes;
        return rest;
    }

    /// <summary>Packs <see cref="Data"/>'s first rows of one head in bfloat16 tiles.</summary>
    public readonly void PackTiles(int rows, int columns)
    {
        if (Tiles == null) return;
        byte* to = Tiles;
        for (int column = 0; column < columns; column += TileShape.Lanes, to += TileStep)
            TileBlock.PackRight((float*)Data + column, (int)Step, false, rows, Math.Min(TileShape.Lanes, columns - column), Precision.BFloat16, to);
    }
}
