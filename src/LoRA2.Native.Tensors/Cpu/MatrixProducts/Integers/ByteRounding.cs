using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>
/// Rounds rows of activations to bytes, each row from its smallest element to its largest: an element is offset + scale · byte. They are laid out as <see cref="ByteCode"/> reads them: strips of 32 rows, of which each
/// step of 64 elements follows the last, a row's 64 together. What fills the last step up is left as it is: the weight has zeros there. A row with an element that is not finite gets NaN for its scale, and so do its results.
/// </summary>
internal readonly unsafe struct ByteRounding(float* x, nint step, int rows, int columns, int rowsPerPart, byte* rounded, float* scales, float* offsets) : IParallelTask
{
    /// <summary>Bytes of a strip.</summary>
    public static nint StripBytes(int columns) => Steps(columns) * BlockCode.GroupBytes;

    /// <summary>Steps that cover a depth.</summary>
    public static nint Steps(int columns) => (columns + ByteCode.StepDepth - 1) / ByteCode.StepDepth;

    public void Run(int index)
    {
        if (SimdPaths.Are512) Run<ByteRows512>(index);
        else Run<ByteRows256>(index);
    }

    private void Run<TRows>(int index)
        where TRows : unmanaged, IByteRows
    {
        int end = Math.Min(rows, (index + 1) * rowsPerPart);
        for (int row = index * rowsPerPart; row < end; row++)
            Row<TRows>(x + (row * step), rounded + (row / TileShape.Lanes * StripBytes(columns)) + (row % TileShape.Lanes * ByteCode.StepDepth), out scales[row], out offsets[row]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Row<TRows>(float* from, byte* to, out float scale, out float offset)
        where TRows : unmanaged, IByteRows
    {
        int i = TRows.Bounds(from, columns, out float smallest, out float largest, out float zero);
        for (; i < columns; i++)
        {
            smallest = MathF.Min(smallest, from[i]);
            largest = MathF.Max(largest, from[i]);
            zero += from[i] * 0;
        }

        // 0 times each element adds up to 0 if all are finite.
        bool isFinite = zero == 0;
        (scale, offset) = (isFinite ? 0 : float.NaN, 0);
        if (!isFinite || columns == 0 || MathF.Max(-smallest, largest) < RowRounding.Smallest) smallest = largest = 0;
        else offset = smallest;
        // Halves, as the difference of the two could be infinite; and differences before they are scaled, as both could be far larger than those.
        float origin = smallest / 2, range = (largest / 2) - origin, factor = range < RowRounding.Smallest ? 0 : byte.MaxValue / range;
        if (factor != 0) scale = 2 * (range / byte.MaxValue);
        i = TRows.Round(from, columns, factor, -origin, to);
        to += (i / ByteCode.StepDepth * BlockCode.GroupBytes) + (i % ByteCode.StepDepth);
        for (; i < columns; i++, to++) *to = (byte)MathF.Round(MathF.FusedMultiplyAdd(from[i], 0.5f, -origin) * factor);
    }
}
