using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>Arithmetic on equally long contiguous arrays. The output may be one of the inputs.</summary>
internal static unsafe class Elementwise
{
    /// <summary>output = a + b.</summary>
    public static void Add<T>(T* a, T* b, nint count, T* output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Map.Binary(default(Sum<T>), a, b, output, count);

    /// <summary>output = a − b.</summary>
    public static void Subtract<T>(T* a, T* b, nint count, T* output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Map.Binary(default(Difference<T>), a, b, output, count);

    /// <summary>output = (or +=) a · b.</summary>
    public static void Multiply<T>(T* a, T* b, nint count, T* output, bool accumulate = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Map.Binary(default(Product<T>), a, b, output, count, accumulate);

    /// <summary>output = scale · a.</summary>
    public static void Scale<T>(T* a, T scale, nint count, T* output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Map.Unary(new Scaling<T>(scale), a, output, count);

    /// <summary>output += scale · a.</summary>
    public static void AddScaled<T>(T* a, T scale, nint count, T* output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Map.Binary(new ScaledSum<T>(scale), a, output, output, count);

    /// <summary>output += a.</summary>
    public static void Accumulate<T>(T* a, nint count, T* output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Map.Binary(default(Sum<T>), output, a, output, count);

    /// <summary>Sets every element to <paramref name="value"/>.</summary>
    public static void Fill<T>(T value, nint count, T* output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        ThreadTeam.Run(SimdTask.Parts(count), new FillTask<T>(value, count, output));

    /// <summary>Copies <paramref name="count"/> elements of any type; the arrays do not overlap.</summary>
    public static void Copy<T>(T* source, nint count, T* destination)
        where T : unmanaged => ThreadTeam.Run(SimdTask.Parts(count), new CopyTask<T>(source, count, destination));

    private readonly struct Sum<T> : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd x, TSimd y)
            where TSimd : unmanaged, ISimd<TSimd, T> => x + y;
    }

    private readonly struct Difference<T> : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd x, TSimd y)
            where TSimd : unmanaged, ISimd<TSimd, T> => x - y;
    }

    private readonly struct Product<T> : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd x, TSimd y)
            where TSimd : unmanaged, ISimd<TSimd, T> => x * y;
    }

    private readonly struct Scaling<T>(T scale) : IUnaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd x)
            where TSimd : unmanaged, ISimd<TSimd, T> => x * TSimd.Create(scale);
    }

    private readonly struct ScaledSum<T>(T scale) : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd x, TSimd y)
            where TSimd : unmanaged, ISimd<TSimd, T> => TSimd.MultiplyAdd(x, TSimd.Create(scale), y);
    }

    private readonly struct FillTask<T>(T value, nint count, T* output) : IParallelTask
        where T : unmanaged
    {
        public void Run(int index)
        {
            nint start = (nint)index * SimdTask.BlockElements;
            new Span<T>(output + start, (int)Math.Min(SimdTask.BlockElements, count - start)).Fill(value);
        }
    }

    private readonly struct CopyTask<T>(T* source, nint count, T* destination) : IParallelTask
        where T : unmanaged
    {
        public void Run(int index)
        {
            nint start = (nint)index * SimdTask.BlockElements;
            nuint bytes = (nuint)(Math.Min(SimdTask.BlockElements, count - start) * sizeof(T));
            NativeMemory.Copy(source + start, destination + start, bytes);
        }
    }
}
