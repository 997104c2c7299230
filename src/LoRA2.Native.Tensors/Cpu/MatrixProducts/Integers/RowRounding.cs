using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>
/// Rounds rows of activations to integers, each row by a scale of its own, its largest size over the number of levels. They are kept as 16 bits, as they are multiplied, padded with a zero to an even length. A row
/// with an element that is not finite gets NaN for its scale, and so do its results.
/// </summary>
internal readonly unsafe struct RowRounding(float* x, nint step, int rows, int columns, int levels, int rowsPerPart, short* rounded, nint roundedStep, float* scales) : IParallelTask
{
    /// <summary>Below this size a row counts as zeros: the levels over it would not be finite for the smallest ones.</summary>
    public const float Smallest = 1e-30f;

    /// <summary>What elements are multiplied with before they are rounded; 0 for rows of nothing.</summary>
    public static float Inverse(float largest, int levels) => largest < Smallest ? 0 : levels / largest;

    /// <summary>
    /// Levels of either sign for rows of a length: 16 bits are multiplied anyway, so a row takes as many of them as leave its sums with a weight's bytes in 32 bits. Its own rounding then hardly counts beside the
    /// weight's.
    /// </summary>
    public static int Levels(int columns) => (int)Math.Min(short.MaxValue, int.MaxValue / ((long)Int8PackedMatrix.Levels * Math.Max(1, columns)));

    public void Run(int index)
    {
        int end = Math.Min(rows, (index + 1) * rowsPerPart);
        bool wide = Vector256.IsHardwareAccelerated && SimdPaths.Current >= SimdPath.Vector256;
        for (int row = index * rowsPerPart; row < end; row++)
        {
            float* from = x + (row * step);
            short* to = rounded + (row * roundedStep);
            scales[row] = wide ? Row256(from, to) : Row128(from, to);
            for (nint i = columns; i < roundedStep; i++) to[i] = 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private float Row256(float* from, short* to)
    {
        Vector256<float> most = default, nothing = default;
        int i = 0;
        for (; i <= columns - 8; i += 8)
        {
            Vector256<float> value = Vector256.Load(from + i);
            most = Vector256.MaxNative(Vector256.Abs(value), most);
            nothing += value * Vector256<float>.Zero;
        }

        float largest = 0, zero = Vector256.Sum(nothing);
        for (int lane = 0; lane < 8; lane++) largest = MathF.Max(largest, most[lane]);
        if (!Rest(from, i, ref largest, zero)) return float.NaN;
        float inverse = Inverse(largest, levels);
        var factor = Vector256.Create(inverse);
        for (i = 0; i <= columns - 16; i += 16)
        {
            Vector256<int> lower = Vector256.ConvertToInt32Native(Vector256.Round(Vector256.Load(from + i) * factor));
            Vector256<int> upper = Vector256.ConvertToInt32Native(Vector256.Round(Vector256.Load(from + i + 8) * factor));
            Vector256.Narrow(lower, upper).Store(to + i);
        }

        for (; i < columns; i++) to[i] = (short)MathF.Round(from[i] * inverse);
        return inverse == 0 ? 0 : largest / levels;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private float Row128(float* from, short* to)
    {
        Vector128<float> most = default, nothing = default;
        int i = 0;
        for (; i <= columns - 4; i += 4)
        {
            Vector128<float> value = Vector128.Load(from + i);
            most = Vector128.MaxNative(Vector128.Abs(value), most);
            nothing += value * Vector128<float>.Zero;
        }

        float largest = 0, zero = Vector128.Sum(nothing);
        for (int lane = 0; lane < 4; lane++) largest = MathF.Max(largest, most[lane]);
        if (!Rest(from, i, ref largest, zero)) return float.NaN;
        float inverse = Inverse(largest, levels);
        var factor = Vector128.Create(inverse);
        for (i = 0; i <= columns - 8; i += 8)
        {
            Vector128<int> lower = Vector128.ConvertToInt32Native(Vector128.Round(Vector128.Load(from + i) * factor));
            Vector128<int> upper = Vector128.ConvertToInt32Native(Vector128.Round(Vector128.Load(from + i + 4) * factor));
            Vector128.Narrow(lower, upper).Store(to + i);
        }

        for (; i < columns; i++) to[i] = (short)MathF.Round(from[i] * inverse);
        return inverse == 0 ? 0 : largest / levels;
    }

    /// <summary>The largest size with the elements from <paramref name="i"/> on, and whether all are finite: 0 times each added up is 0 then.</summary>
    private bool Rest(float* from, int i, ref float largest, float zero)
    {
        for (; i < columns; i++)
        {
            largest = MathF.Max(largest, MathF.Abs(from[i]));
            zero += from[i] * 0;
        }

        return zero == 0;
    }
}
