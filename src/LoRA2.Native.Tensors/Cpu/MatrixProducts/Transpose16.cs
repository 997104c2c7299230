using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>Transposes 16 × 16 blocks of floats in AVX-512 registers: 4 × 4 blocks within 128-bit lanes first, then the lanes. And in AVX's, 8 × 8 at a time.</summary>
internal static unsafe class Transpose16
{
    /// <summary>Whether there are AVX-512's.</summary>
    public static bool IsSupported => Avx512F.IsSupported;

    /// <summary>
    /// Writes rows of 16 (or, where the room is less, 12) elements; those beyond the <paramref name="rows"/> source rows are unspecified.
    /// </summary>
    /// <param name="from">The first of <paramref name="rows"/> rows of 16.</param>
    /// <param name="fromStep">Elements between source rows.</param>
    /// <param name="rows">1 … 16 rows, which become columns.</param>
    /// <param name="to">The first of 16 destination rows.</param>
    /// <param name="toStep">Elements between destination rows.</param>
    /// <param name="room">Elements of a destination row that may be written: at least 12.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* from, nint fromStep, int rows, float* to, nint toStep, int room)
    {
        int last = rows - 1;
        Lanes(from, fromStep, 0, last, out Vector512<float> a0, out Vector512<float> a1, out Vector512<float> a2, out Vector512<float> a3);
        Lanes(from, fromStep, 4, last, out Vector512<float> b0, out Vector512<float> b1, out Vector512<float> b2, out Vector512<float> b3);
        Lanes(from, fromStep, 8, last, out Vector512<float> c0, out Vector512<float> c1, out Vector512<float> c2, out Vector512<float> c3);
        Vector512<float> d0 = c0, d1 = c1, d2 = c2, d3 = c3;
        if (room >= 16) Lanes(from, fromStep, 12, last, out d0, out d1, out d2, out d3);
        Store(a0, b0, c0, d0, to, toStep, room);
        Store(a1, b1, c1, d1, to + toStep, toStep, room);
        Store(a2, b2, c2, d2, to + 2 * toStep, toStep, room);
        Store(a3, b3, c3, d3, to + 3 * toStep, toStep, room);
    }

    /// <summary>A whole block, in registers of 256 bits.</summary>
    /// <param name="from">The first of 16 rows of 16.</param>
    /// <param name="fromStep">Elements between source rows.</param>
    /// <param name="to">The first of 16 destination rows.</param>
    /// <param name="toStep">Elements between destination rows.</param>
    public static void RunOf256(float* from, nint fromStep, float* to, nint toStep)
    {
        for (int row = 0; row < 16; row += 8)
        {
            for (int column = 0; column < 16; column += 8) Eight(from + row * fromStep + column, fromStep, to + column * toStep + row, toStep);
        }
    }

    /// <summary>A block of 8 × 8, four of its columns at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Eight(float* from, nint step, float* to, nint toStep)
    {
        Lanes(from, step, out Vector256<float> a0, out Vector256<float> a1, out Vector256<float> a2, out Vector256<float> a3);
        Lanes(from + 4, step, out Vector256<float> b0, out Vector256<float> b1, out Vector256<float> b2, out Vector256<float> b3);
        a0.Store(to);
        a1.Store(to + toStep);
        a2.Store(to + 2 * toStep);
        a3.Store(to + 3 * toStep);
        to += 4 * toStep;
        b0.Store(to);
        b1.Store(to + toStep);
        b2.Store(to + 2 * toStep);
        b3.Store(to + 3 * toStep);
    }

    /// <summary>Four columns of eight rows as rows: of a register the lower half is of the rows 0 … 3, the upper one of 4 … 7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lanes(float* from, nint step, out Vector256<float> o0, out Vector256<float> o1, out Vector256<float> o2, out Vector256<float> o3)
    {
        float* lower = from + 4 * step;
        Vector256<float> r0 = Vector256.Create(Vector128.Load(from), Vector128.Load(lower)), r1 = Vector256.Create(Vector128.Load(from + step), Vector128.Load(lower + step));
        Vector256<float> r2 = Vector256.Create(Vector128.Load(from + 2 * step), Vector128.Load(lower + 2 * step)), r3 = Vector256.Create(Vector128.Load(from + 3 * step), Vector128.Load(lower + 3 * step));
        Vector256<double> low01 = Avx.UnpackLow(r0, r1).AsDouble(), high01 = Avx.UnpackHigh(r0, r1).AsDouble();
        Vector256<double> low23 = Avx.UnpackLow(r2, r3).AsDouble(), high23 = Avx.UnpackHigh(r2, r3).AsDouble();
        o0 = Avx.UnpackLow(low01, low23).AsSingle();
        o1 = Avx.UnpackHigh(low01, low23).AsSingle();
        o2 = Avx.UnpackLow(high01, high23).AsSingle();
        o3 = Avx.UnpackHigh(high01, high23).AsSingle();
    }

    /// <summary>Loads rows <paramref name="row"/> … + 3 and transposes each of their four 4 × 4 blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lanes(
        float* from, nint step, int row, int last,
        out Vector512<float> o0, out Vector512<float> o1, out Vector512<float> o2, out Vector512<float> o3)
    {
        Vector512<float> r0 = Vector512.Load(from + Math.Min(row, last) * step);
        Vector512<float> r1 = Vector512.Load(from + Math.Min(row + 1, last) * step);
        Vector512<float> r2 = Vector512.Load(from + Math.Min(row + 2, last) * step);
        Vector512<float> r3 = Vector512.Load(from + Math.Min(row + 3, last) * step);
        Vector512<double> low01 = Avx512F.UnpackLow(r0, r1).AsDouble(), high01 = Avx512F.UnpackHigh(r0, r1).AsDouble();
        Vector512<double> low23 = Avx512F.UnpackLow(r2, r3).AsDouble(), high23 = Avx512F.UnpackHigh(r2, r3).AsDouble();
        o0 = Avx512F.UnpackLow(low01, low23).AsSingle();
        o1 = Avx512F.UnpackHigh(low01, low23).AsSingle();
        o2 = Avx512F.UnpackLow(high01, high23).AsSingle();
        o3 = Avx512F.UnpackHigh(high01, high23).AsSingle();
    }

    /// <summary>Stores destination rows 0, 4, 8, 12: lane l of the four vectors, in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* to, nint step, int room)
    {
        Vector512<float> ab01 = Avx512F.Shuffle4x128(a, b, 0x44), ab23 = Avx512F.Shuffle4x128(a, b, 0xEE);
        Vector512<float> cd01 = Avx512F.Shuffle4x128(c, d, 0x44), cd23 = Avx512F.Shuffle4x128(c, d, 0xEE);
        Row(Avx512F.Shuffle4x128(ab01, cd01, 0x88), to, room);
        Row(Avx512F.Shuffle4x128(ab01, cd01, 0xDD), to + 4 * step, room);
        Row(Avx512F.Shuffle4x128(ab23, cd23, 0x88), to + 8 * step, room);
        Row(Avx512F.Shuffle4x128(ab23, cd23, 0xDD), to + 12 * step, room);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row(Vector512<float> row, float* to, int room)
    {
        if (room >= 16)
        {
            row.Store(to);
            return;
        }

        row.GetLower().Store(to);
        Avx512F.ExtractVector128(row, 2).Store(to + 8);
    }
}
