using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// Copies a matrix into the order the micro-kernel reads: slices of <c>width</c> columns (a panel of B, or a strip of A seen as columns of
/// Aᵀ), each depth-major: element (p, j) of a slice goes to p · width + j.
/// </summary>
internal static unsafe class Packing<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>
    /// Rows of an untransposed source worth packing through all slices before the next: few enough for the first-level cache to hold them.
    /// </summary>
    public const int Run = 8;

    private const int Line = 16;

    /// <summary>Packs one slice of <paramref name="columns"/> ≤ <paramref name="width"/> columns; the rest is set to zero.</summary>
    /// <param name="source">Element (0, 0).</param>
    /// <param name="step">Elements between source rows.</param>
    /// <param name="transposed">Whether the source rows are the slice's columns rather than its depth.</param>
    /// <param name="depth">Rows of the slice.</param>
    /// <param name="columns">Columns of the slice.</param>
    /// <param name="width">Elements between rows of the destination.</param>
    /// <param name="destination"><paramref name="depth"/> × <paramref name="width"/> elements.</param>
    public static void Pack(T* source, nint step, bool transposed, nint depth, int columns, int width, T* destination)
    {
        if (transposed) Interleave(source, step, depth, columns, width, destination);
        else Copy(source, step, depth, columns, width, destination);
        if (columns == width) return;
        for (nint p = 0; p < depth; p++) new Span<T>(destination + p * width + columns, width - columns).Clear();
    }

    private static void Copy(T* source, nint step, nint depth, int columns, int width, T* destination)
    {
        for (nint p = 0; p < depth; p++)
        {
            T* from = source + p * step;
            T* to = destination + p * width;
            int j = 0;
            if (Vector512.IsHardwareAccelerated)
            {
                for (; j <= columns - Vector512<T>.Count; j += Vector512<T>.Count) Vector512.Load(from + j).Store(to + j);
            }

            for (; j <= columns - Vector256<T>.Count; j += Vector256<T>.Count) Vector256.Load(from + j).Store(to + j);
            for (; j <= columns - Vector128<T>.Count; j += Vector128<T>.Count) Vector128.Load(from + j).Store(to + j);
            for (; j < columns; j++) to[j] = from[j];
        }
    }

    // The first answer of a process waits for a whole model to be packed: compiled fully the first time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Interleave(T* source, nint step, nint depth, int columns, int width, T* destination)
    {
        // A cache line of every source row is used up before the next is touched.
        for (nint p = 0; p < depth; p += Line)
        {
            int length = (int)Math.Min(Line, depth - p);
            int j = 0;
            if (typeof(T) == typeof(float) && Transpose16.IsSupported && length == Line)
            {
                for (; j < columns && width - j >= 12; j += 16)
                {
                    var from = (float*)(source + j * step + p);
                    Transpose16.Run(from, step, Math.Min(16, columns - j), (float*)(destination + p * width + j), width, width - j);
                }
            }

            for (; j <= columns - 4; j += 4)
            {
                T* from = source + j * step + p;
                T* to = destination + p * width + j;
                int q = 0;
                for (; q <= length - 4; q += 4) Transpose4(from + q, step, to + q * width, width);
                for (; q < length; q++)
                {
                    for (int i = 0; i < 4; i++) to[q * width + i] = from[i * step + q];
                }
            }

            for (; j < columns; j++)
            {
                for (nint q = p; q < p + length; q++) destination[q * width + j] = source[j * step + q];
            }
        }
    }

    /// <summary>Transposes a 4 × 4 block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose4(T* from, nint fromStep, T* to, nint toStep)
    {
        if (typeof(T) == typeof(float) && Sse.IsSupported)
        {
            Vector128<float> r0 = Vector128.Load((float*)from);
            Vector128<float> r1 = Vector128.Load((float*)(from + fromStep));
            Vector128<float> r2 = Vector128.Load((float*)(from + 2 * fromStep));
            Vector128<float> r3 = Vector128.Load((float*)(from + 3 * fromStep));
            Vector128<float> low01 = Sse.UnpackLow(r0, r1), high01 = Sse.UnpackHigh(r0, r1);
            Vector128<float> low23 = Sse.UnpackLow(r2, r3), high23 = Sse.UnpackHigh(r2, r3);
            Sse.MoveLowToHigh(low01, low23).Store((float*)to);
            Sse.MoveHighToLow(low23, low01).Store((float*)(to + toStep));
            Sse.MoveLowToHigh(high01, high23).Store((float*)(to + 2 * toStep));
            Sse.MoveHighToLow(high23, high01).Store((float*)(to + 3 * toStep));
            return;
        }

        if (typeof(T) == typeof(double) && Avx.IsSupported)
        {
            Vector256<double> r0 = Vector256.Load((double*)from);
            Vector256<double> r1 = Vector256.Load((double*)(from + fromStep));
            Vector256<double> r2 = Vector256.Load((double*)(from + 2 * fromStep));
            Vector256<double> r3 = Vector256.Load((double*)(from + 3 * fromStep));
            Vector256<double> low01 = Avx.UnpackLow(r0, r1), high01 = Avx.UnpackHigh(r0, r1);
            Vector256<double> low23 = Avx.UnpackLow(r2, r3), high23 = Avx.UnpackHigh(r2, r3);
            Avx.Permute2x128(low01, low23, 0x20).Store((double*)to);
            Avx.Permute2x128(high01, high23, 0x20).Store((double*)(to + toStep));
            Avx.Permute2x128(low01, low23, 0x31).Store((double*)(to + 2 * toStep));
            Avx.Permute2x128(high01, high23, 0x31).Store((double*)(to + 3 * toStep));
            return;
        }

        for (int i = 0; i < 4; i++)
        {
            for (int p = 0; p < 4; p++) to[p * toStep + i] = from[i * fromStep + p];
        }
    }
}
