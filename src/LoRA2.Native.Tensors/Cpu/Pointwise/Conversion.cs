using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>
/// Conversions between element types, rounded to nearest, ties to even. A bfloat16 is the upper half of a float, held in a ushort.
/// NaN stays NaN, infinities stay, and what is too large for the narrower format becomes infinite.
/// </summary>
internal static unsafe class Conversion
{
    /// <summary>bfloat16 to float, exact.</summary>
    public static void BFloat16ToFloat(ushort* source, nint count, float* destination) =>
        Run(new FromBFloat16(source, destination), count);

    /// <summary>float to bfloat16.</summary>
    public static void FloatToBFloat16(float* source, nint count, ushort* destination) =>
        Run(new ToBFloat16(source, destination), count);

    /// <summary>binary16 to float, exact.</summary>
    public static void HalfToFloat(Half* source, nint count, float* destination) =>
        Run(new FromHalf(source, destination), count);

    /// <summary>float to binary16.</summary>
    public static void FloatToHalf(float* source, nint count, Half* destination) =>
        Run(new ToHalf(source, destination), count);

    /// <summary>float to double, exact.</summary>
    public static void FloatToDouble(float* source, nint count, double* destination) =>
        Run(new ToDouble(source, destination), count);

    /// <summary>double to float.</summary>
    public static void DoubleToFloat(double* source, nint count, float* destination) =>
        Run(new ToSingle(source, destination), count);

    /// <summary>One number to bfloat16.</summary>
    public static ushort ToBFloat16Bits(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>One bfloat16 to float.</summary>
    public static float FromBFloat16Bits(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static void Run<TOperator>(TOperator op, nint count)
        where TOperator : unmanaged, IRange => ThreadTeam.Run(SimdTask.Parts(count), new BlockTask<TOperator>(op, count));

    private interface IRange
    {
        void Invoke(nint start, int length);
    }

    private readonly struct BlockTask<TOperator>(TOperator op, nint count) : IParallelTask
        where TOperator : unmanaged, IRange
    {
        public void Run(int index)
        {
            nint start = (nint)index * SimdTask.BlockElements;
            op.Invoke(start, (int)Math.Min(SimdTask.BlockElements, count - start));
        }
    }

    private readonly struct FromBFloat16(ushort* source, float* destination) : IRange
    {
        public void Invoke(nint start, int length)
        {
            nint i = start, end = start + length;
            for (; i <= end - Vector<ushort>.Count; i += Vector<ushort>.Count)
            {
                Vector.Widen(Vector.Load(source + i), out Vector<uint> lower, out Vector<uint> upper);
                Vector.Store((lower << 16).As<uint, float>(), destination + i);
                Vector.Store((upper << 16).As<uint, float>(), destination + i + Vector<uint>.Count);
            }

            for (; i < end; i++) destination[i] = FromBFloat16Bits(source[i]);
        }
    }

    private readonly struct ToBFloat16(float* source, ushort* destination) : IRange
    {
        public void Invoke(nint start, int length)
        {
            nint i = start, end = start + length;
            for (; i <= end - Vector<ushort>.Count; i += Vector<ushort>.Count)
            {
                Vector<uint> lower = Round(Vector.Load(source + i));
                Vector<uint> upper = Round(Vector.Load(source + i + Vector<float>.Count));
                Vector.Store(Vector.Narrow(lower, upper), destination + i);
            }

            for (; i < end; i++) destination[i] = ToBFloat16Bits(source[i]);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector<uint> Round(Vector<float> value)
        {
            Vector<uint> bits = value.As<float, uint>();
            Vector<uint> upper = bits >>> 16;
            Vector<uint> rounded = (bits + Vector.Create(0x7FFFu) + (upper & Vector<uint>.One)) >>> 16;
            return Vector.ConditionalSelect(Vector.Equals(value, value).As<int, uint>(), rounded, upper | Vector.Create(0x40u));
        }
    }

    private readonly struct FromHalf(Half* source, float* destination) : IRange
    {
        public void Invoke(nint start, int length) =>
            TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(source + start, length), new Span<float>(destination + start, length));
    }

    private readonly struct ToHalf(float* source, Half* destination) : IRange
    {
        public void Invoke(nint start, int length) =>
            TensorPrimitives.ConvertToHalf(new ReadOnlySpan<float>(source + start, length), new Span<Half>(destination + start, length));
    }

    private readonly struct ToDouble(float* source, double* destination) : IRange
    {
        public void Invoke(nint start, int length)
        {
            nint i = start, end = start + length;
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector.Widen(Vector.Load(source + i), out Vector<double> lower, out Vector<double> upper);
                Vector.Store(lower, destination + i);
                Vector.Store(upper, destination + i + Vector<double>.Count);
            }

            for (; i < end; i++) destination[i] = source[i];
        }
    }

    private readonly struct ToSingle(double* source, float* destination) : IRange
    {
        public void Invoke(nint start, int length)
        {
            nint i = start, end = start + length;
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
                Vector.Store(Vector.Narrow(Vector.Load(source + i), Vector.Load(source + i + Vector<double>.Count)), destination + i);
            for (; i < end; i++) destination[i] = (float)source[i];
        }
    }
}
