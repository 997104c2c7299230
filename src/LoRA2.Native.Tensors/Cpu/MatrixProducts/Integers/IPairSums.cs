using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>
/// A register of 32-bit sums, a column each, and what adds pairs of products of 16-bit integers to them. Nothing saturates: bytes are widened to 16 bits
/// before they are multiplied, and pairs are added in 32; the instruction that multiplies bytes (vpmaddubsw) adds its pairs in 16, and takes as long with the one that it needs after it.
/// </summary>
internal unsafe interface IPairSums<TVector>
    where TVector : unmanaged
{
    /// <summary>Columns in a register.</summary>
    static abstract int Count { get; }

    /// <summary>2 · <see cref="Count"/> bytes, widened to 16 bits: a pair for each column.</summary>
    static abstract TVector Widen(sbyte* source);

    /// <summary>The pair at <paramref name="source"/> for every column.</summary>
    static abstract TVector Broadcast(short* source);

    /// <summary>sums + x₀ y₀ + x₁ y₁ in each column.</summary>
    static abstract TVector Add(TVector sums, TVector x, TVector y);

    /// <summary>c = sums · row · columns + bias, and beta · c as it was when beta is not 0; a null bias is none.</summary>
    static abstract void Store(TVector sums, float row, float* columns, float* bias, float beta, float* c);
}

/// <summary>256 bits: AVX2, and the one instruction for both steps where the processor has AVX-VNNI.</summary>
internal readonly unsafe struct PairSums256 : IPairSums<Vector256<int>>
{
    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Widen(sbyte* source) => Avx2.ConvertToVector256Int16(source).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Broadcast(short* source) => Vector256.Create(*(int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sums, Vector256<int> x, Vector256<int> y) => AvxVnni.IsSupported
        ? AvxVnni.MultiplyWideningAndAdd(sums, x.AsInt16(), y.AsInt16())
        : sums + Avx2.MultiplyAddAdjacent(x.AsInt16(), y.AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<int> sums, float row, float* columns, float* bias, float beta, float* c)
    {
        Vector256<float> value = Vector256.ConvertToSingle(sums) * Vector256.Create(row) * Vector256.Load(columns);
        if (bias != null) value += Vector256.Load(bias);
        if (beta != 0) value += Vector256.Create(beta) * Vector256.Load(c);
        value.Store(c);
    }
}

/// <summary>128 bits: any processor.</summary>
internal readonly unsafe struct PairSums128 : IPairSums<Vector128<int>>
{
    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Widen(sbyte* source) => Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)source).AsSByte()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Broadcast(short* source) => Vector128.Create(*(int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(Vector128<int> sums, Vector128<int> x, Vector128<int> y)
    {
        if (Sse2.IsSupported) return sums + Sse2.MultiplyAddAdjacent(x.AsInt16(), y.AsInt16());
        if (AdvSimd.Arm64.IsSupported)
        {
            Vector128<int> lower = AdvSimd.MultiplyWideningLower(x.AsInt16().GetLower(), y.AsInt16().GetLower());
            return sums + AdvSimd.Arm64.AddPairwise(lower, AdvSimd.MultiplyWideningUpper(x.AsInt16(), y.AsInt16()));
        }

        return sums + ((x << 16 >> 16) * (y << 16 >> 16)) + ((x >> 16) * (y >> 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<int> sums, float row, float* columns, float* bias, float beta, float* c)
    {
        Vector128<float> value = Vector128.ConvertToSingle(sums) * Vector128.Create(row) * Vector128.Load(columns);
        if (bias != null) value += Vector128.Load(bias);
        if (beta != 0) value += Vector128.Create(beta) * Vector128.Load(c);
        value.Store(c);
    }
}
