using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>
/// Rounds rows of activations to bytes, each row from its smallest element to its largest: an element is offset + scale · byte. They are laid out as <see cref="ByteCode"/> reads them: strips of 32 rows, of which each
/// step of 64 elements follows the last, a row's 64 together. What fills the last step up is left as it is: the weight has zeros there. A row with an element that is not finite gets NaN for its scale, and so do its results.
/// </summary>
internal readonly unsafe struct ByteRounding(float* x, nint step, int rows, int columns, int rowsPerPart, byte* rounded, float* scales, float* offsets) : IParallelTask
{
    private const int Count = 16;

    /// <summary>Bytes of a strip.</summary>
    public static nint StripBytes(int columns) => Steps(columns) * BlockCode.GroupBytes;

    /// <summary>Steps that cover a depth.</summary>
    public static nint Steps(int columns) => (columns + ByteCode.StepDepth - 1) / ByteCode.StepDepth;

    public void Run(int index)
    {
        int end = Math.Min(rows, (index + 1) * rowsPerPart);
        for (int row = index * rowsPerPart; row < end; row++)
            Row(x + (row * step), rounded + (row / TileShape.Lanes * StripBytes(columns)) + (row % TileShape.Lanes * ByteCode.StepDepth), out scales[row], out offsets[row]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Row(float* from, byte* to, out float scale, out float offset)
    {
        (float smallest, float largest, bool isFinite) = Bounds(from);
        (scale, offset) = (isFinite ? 0 : float.NaN, 0);
        if (!isFinite || columns == 0 || MathF.Max(-smallest, largest) < RowRounding.Smallest) smallest = largest = 0;
        else offset = smallest;
        // Halves, as the difference of the two could be infinite; and differences before they are scaled, as both could be far larger than those.
        float origin = smallest / 2, range = (largest / 2) - origin, factor = range < RowRounding.Smallest ? 0 : byte.MaxValue / range;
        if (factor != 0) scale = 2 * (range / byte.MaxValue);
        (Vector512<float> factors, Vector512<float> origins) = (Vector512.Create(factor), Vector512.Create(-origin));
        int i = 0;
        for (; i <= columns - ByteCode.StepDepth; i += ByteCode.StepDepth, to += BlockCode.GroupBytes)
        {
            float* next = from + i;
            Round(next, factors, origins, to);
            Round(next + Count, factors, origins, to + Count);
            Round(next + (2 * Count), factors, origins, to + (2 * Count));
            Round(next + (3 * Count), factors, origins, to + (3 * Count));
        }

        for (; i <= columns - Count; i += Count, to += Count) Round(from + i, factors, origins, to);
        for (; i < columns; i++, to++) *to = (byte)MathF.Round(MathF.FusedMultiplyAdd(from[i], 0.5f, -origin) * factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(float* from, Vector512<float> factors, Vector512<float> origins, byte* to) =>
        Avx512F.ConvertToVector128ByteWithSaturation(Avx512F.ConvertToVector512Int32(Vector512.FusedMultiplyAdd(Vector512.Load(from), Vector512.Create(0.5f), origins) * factors).AsUInt32()).Store(to);

    /// <summary>The smallest and the largest element, and whether all are finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private (float Smallest, float Largest, bool IsFinite) Bounds(float* from)
    {
        Vector512<float> least = Vector512.Create(float.PositiveInfinity), most = Vector512.Create(float.NegativeInfinity), nothing = default;
        (Vector512<float> least1, Vector512<float> most1, Vector512<float> nothing1) = (least, most, nothing);
        int i = 0;
        for (; i <= columns - (2 * Count); i += 2 * Count)
        {
            (Vector512<float> value, Vector512<float> value1) = (Vector512.Load(from + i), Vector512.Load(from + i + Count));
            least = Vector512.MinNative(value, least);
            least1 = Vector512.MinNative(value1, least1);
            most = Vector512.MaxNative(value, most);
            most1 = Vector512.MaxNative(value1, most1);
            nothing = Vector512.FusedMultiplyAdd(value, Vector512<float>.Zero, nothing);
            nothing1 = Vector512.FusedMultiplyAdd(value1, Vector512<float>.Zero, nothing1);
        }

        (float smallest, float largest, float zero) = (Least(Vector512.MinNative(least, least1)), -Least(-Vector512.MaxNative(most, most1)), Vector512.Sum(nothing + nothing1));
        for (; i < columns; i++)
        {
            smallest = MathF.Min(smallest, from[i]);
            largest = MathF.Max(largest, from[i]);
            zero += from[i] * 0;
        }

        // 0 times each element adds up to 0 if all are finite.
        return (smallest, largest, zero == 0);
    }

    private static float Least(Vector512<float> value)
    {
        Vector256<float> half = Vector256.MinNative(value.GetLower(), value.GetUpper());
        Vector128<float> quarter = Vector128.MinNative(half.GetLower(), half.GetUpper());
        return MathF.Min(MathF.Min(quarter[0], quarter[1]), MathF.Min(quarter[2], quarter[3]));
    }
}
