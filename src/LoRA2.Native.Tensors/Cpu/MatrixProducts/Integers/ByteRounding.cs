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
        Vector512<float> least = Vector512.Create(float.PositiveInfinity), most = Vector512.Create(float.NegativeInfinity), nothing = default;
        int i = 0;
        for (; i <= columns - Count; i += Count)
        {
            Vector512<float> value = Vector512.Load(from + i);
            least = Vector512.MinNative(value, least);
            most = Vector512.MaxNative(value, most);
            nothing += value * Vector512<float>.Zero;
        }

        (float smallest, float largest, float zero) = (Least(least), -Least(-most), Vector512.Sum(nothing));
        for (; i < columns; i++)
        {
            smallest = MathF.Min(smallest, from[i]);
            largest = MathF.Max(largest, from[i]);
            zero += from[i] * 0;
        }

        // 0 times each element adds up to 0 if all are finite.
        (scale, offset) = (zero == 0 ? 0 : float.NaN, 0);
        if (zero != 0 || columns == 0 || MathF.Max(-smallest, largest) < RowRounding.Smallest) smallest = largest = 0;
        else offset = smallest;
        // The difference of the two could be infinite.
        float range = (largest / byte.MaxValue) - (smallest / byte.MaxValue), inverse = range < RowRounding.Smallest ? 0 : 1 / range;
        if (inverse != 0) scale = range;
        float shift = -smallest * inverse;
        (Vector512<float> factor, Vector512<float> addend) = (Vector512.Create(inverse), Vector512.Create(shift));
        for (i = 0; i <= columns - Count; i += Count)
        {
            Vector512<float> value = Vector512.FusedMultiplyAdd(Vector512.Load(from + i), factor, addend);
            Avx512F.ConvertToVector128ByteWithSaturation(Avx512F.ConvertToVector512Int32(value).AsUInt32()).Store(At(to, i));
        }

        for (; i < columns; i++) *At(to, i) = (byte)MathF.Round(MathF.FusedMultiplyAdd(from[i], inverse, shift));
    }

    private static byte* At(byte* row, int i) => row + (i / ByteCode.StepDepth * BlockCode.GroupBytes) + (i % ByteCode.StepDepth);

    private static float Least(Vector512<float> value)
    {
        Vector256<float> half = Vector256.MinNative(value.GetLower(), value.GetUpper());
        Vector128<float> quarter = Vector128.MinNative(half.GetLower(), half.GetUpper());
        return MathF.Min(MathF.Min(quarter[0], quarter[1]), MathF.Min(quarter[2], quarter[3]));
    }
}
