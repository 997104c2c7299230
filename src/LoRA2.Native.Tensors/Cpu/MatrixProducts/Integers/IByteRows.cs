using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>What <see cref="ByteRounding"/> does with a row's whole vectors: sixteen elements at a time in registers of either width, in the same order, so that the bits are the same.</summary>
internal unsafe interface IByteRows
{
    /// <summary>The smallest and the largest element, and the sum of 0 times each; returns how many elements these are of.</summary>
    static abstract int Bounds(float* from, int columns, out float smallest, out float largest, out float zero);

    /// <summary>Writes (x / 2 + origin) · factor, rounded to bytes, in steps of <see cref="ByteCode.StepDepth"/>; returns how many elements it was.</summary>
    static abstract int Round(float* from, int columns, float factor, float origin, byte* to);
}

/// <summary>512 bits.</summary>
internal readonly unsafe struct ByteRows512 : IByteRows
{
    private const int Count = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Bounds(float* from, int columns, out float smallest, out float largest, out float zero)
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

        (least, most) = (Vector512.MinNative(least, least1), -Vector512.MaxNative(most, most1));
        smallest = ByteRows256.Least(least.GetLower(), least.GetUpper());
        largest = -ByteRows256.Least(most.GetLower(), most.GetUpper());
        zero = Vector512.Sum(nothing + nothing1);
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Round(float* from, int columns, float factor, float origin, byte* to)
    {
        (Vector512<float> factors, Vector512<float> origins) = (Vector512.Create(factor), Vector512.Create(origin));
        int i = 0;
        for (; i <= columns - ByteCode.StepDepth; i += ByteCode.StepDepth, to += BlockCode.GroupBytes)
        {
            float* next = from + i;
            Sixteen(next, factors, origins, to);
            Sixteen(next + Count, factors, origins, to + Count);
            Sixteen(next + (2 * Count), factors, origins, to + (2 * Count));
            Sixteen(next + (3 * Count), factors, origins, to + (3 * Count));
        }

        for (; i <= columns - Count; i += Count, to += Count) Sixteen(from + i, factors, origins, to);
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sixteen(float* from, Vector512<float> factors, Vector512<float> origins, byte* to) =>
        Avx512F.ConvertToVector128ByteWithSaturation(Avx512F.ConvertToVector512Int32(Vector512.FusedMultiplyAdd(Vector512.Load(from), Vector512.Create(0.5f), origins) * factors).AsUInt32()).Store(to);
}

/// <summary>256 bits, two registers for one of 512.</summary>
internal readonly unsafe struct ByteRows256 : IByteRows
{
    private const int Count = 8;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Bounds(float* from, int columns, out float smallest, out float largest, out float zero)
    {
        Vector256<float> least0 = Vector256.Create(float.PositiveInfinity), most0 = Vector256.Create(float.NegativeInfinity), nothing = default;
        (Vector256<float> least1, Vector256<float> least2, Vector256<float> least3) = (least0, least0, least0);
        (Vector256<float> most1, Vector256<float> most2, Vector256<float> most3, Vector256<float> nothing1) = (most0, most0, most0, nothing);
        int i = 0;
        for (; i <= columns - (4 * Count); i += 4 * Count)
        {
            (Vector256<float> value0, Vector256<float> value1) = (Vector256.Load(from + i), Vector256.Load(from + i + Count));
            least0 = Vector256.MinNative(value0, least0);
            least1 = Vector256.MinNative(value1, least1);
            most0 = Vector256.MaxNative(value0, most0);
            most1 = Vector256.MaxNative(value1, most1);
            nothing = Vector256.FusedMultiplyAdd(value0, Vector256<float>.Zero, nothing);
            nothing1 = Vector256.FusedMultiplyAdd(value1, Vector256<float>.Zero, nothing1);
            (Vector256<float> value2, Vector256<float> value3) = (Vector256.Load(from + i + (2 * Count)), Vector256.Load(from + i + (3 * Count)));
            least2 = Vector256.MinNative(value2, least2);
            least3 = Vector256.MinNative(value3, least3);
            most2 = Vector256.MaxNative(value2, most2);
            most3 = Vector256.MaxNative(value3, most3);
            nothing = Vector256.FusedMultiplyAdd(value2, Vector256<float>.Zero, nothing);
            nothing1 = Vector256.FusedMultiplyAdd(value3, Vector256<float>.Zero, nothing1);
        }

        // Which of two zeros is the smaller depends on the order, which is that of 512 bits.
        smallest = Least(Vector256.MinNative(least0, least2), Vector256.MinNative(least1, least3));
        largest = -Least(-Vector256.MaxNative(most0, most2), -Vector256.MaxNative(most1, most3));
        zero = Vector256.Sum(nothing + nothing1);
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Round(float* from, int columns, float factor, float origin, byte* to)
    {
        (Vector256<float> factors, Vector256<float> origins) = (Vector256.Create(factor), Vector256.Create(origin));
        int i = 0;
        for (; i <= columns - ByteCode.StepDepth; i += ByteCode.StepDepth, to += BlockCode.GroupBytes)
        {
            ThirtyTwo(from + i, factors, origins, to);
            ThirtyTwo(from + i + (4 * Count), factors, origins, to + (4 * Count));
        }

        for (; i <= columns - (2 * Count); i += 2 * Count, to += 2 * Count)
        {
            Vector256<short> pairs = Sixteen(from + i, factors, origins);
            Avx2.PermuteVar8x32(Avx2.PackUnsignedSaturate(pairs, pairs).AsInt32(), Vector256.Create(0, 4, 1, 5, 0, 4, 1, 5)).GetLower().AsByte().Store(to);
        }

        return i;
    }

    /// <summary>The smallest of all elements.</summary>
    public static float Least(Vector256<float> lower, Vector256<float> upper)
    {
        Vector256<float> half = Vector256.MinNative(lower, upper);
        Vector128<float> quarter = Vector128.MinNative(half.GetLower(), half.GetUpper());
        return MathF.Min(MathF.Min(quarter[0], quarter[1]), MathF.Min(quarter[2], quarter[3]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ThirtyTwo(float* from, Vector256<float> factors, Vector256<float> origins, byte* to)
    {
        Vector256<byte> bytes = Avx2.PackUnsignedSaturate(Sixteen(from, factors, origins), Sixteen(from + (2 * Count), factors, origins));
        Avx2.PermuteVar8x32(bytes.AsInt32(), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).AsByte().Store(to);
    }

    /// <summary>Two registers' elements as integers: of each half of the result the first four are the one's, the next the other's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Sixteen(float* from, Vector256<float> factors, Vector256<float> origins) =>
        Avx2.PackSignedSaturate(Eight(from, factors, origins), Eight(from + Count, factors, origins));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Eight(float* from, Vector256<float> factors, Vector256<float> origins) =>
        Avx.ConvertToVector256Int32(Vector256.FusedMultiplyAdd(Vector256.Load(from), Vector256.Create(0.5f), origins) * factors);
}
