using System.Numerics;
using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tensors.Cpu.Vectors;

/// <summary>f(x), lane by lane.</summary>
internal interface IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    TSimd Invoke<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd, T>;
}

/// <summary>f(x, y), lane by lane.</summary>
internal interface IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    TSimd Invoke<TSimd>(TSimd x, TSimd y)
        where TSimd : unmanaged, ISimd<TSimd, T>;
}

/// <summary>
/// The loop under every elementwise kernel: output[i] = f(x[i], …), or += f when accumulating. The output may be one of the inputs.
/// Elements past the last full register are done in a masked register, by the same arithmetic.
/// </summary>
internal static unsafe class Map
{
    public static void Unary<T, TOperator>(TOperator op, T* x, T* output, nint count, bool accumulate = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOperator : unmanaged, IUnaryOperator<T> =>
        Binary(new First<T, TOperator>(op), x, x, output, count, accumulate);

    public static void Binary<T, TOperator>(TOperator op, T* x, T* y, T* output, nint count, bool accumulate = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOperator : unmanaged, IBinaryOperator<T> =>
        SimdTask.Run<T, BinaryTask<T, TOperator>>(SimdTask.Parts(count), new(op, x, y, output, count, accumulate));

    private readonly struct First<T, TOperator>(TOperator op) : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOperator : unmanaged, IUnaryOperator<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TSimd Invoke<TSimd>(TSimd x, TSimd y)
            where TSimd : unmanaged, ISimd<TSimd, T> => op.Invoke(x);
    }

    private readonly struct BinaryTask<T, TOperator>(TOperator op, T* x, T* y, T* output, nint count, bool accumulate) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOperator : unmanaged, IBinaryOperator<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint start = (nint)index * SimdTask.BlockElements;
            int length = (int)Math.Min(SimdTask.BlockElements, count - start);
            T* left = x + start;
            T* right = y + start;
            T* to = output + start;
            TOperator f = op;
            int i = 0;
            if (accumulate)
            {
                for (; i <= length - TSimd.Count; i += TSimd.Count)
                    TSimd.Store(TSimd.Load(to + i) + f.Invoke(TSimd.Load(left + i), TSimd.Load(right + i)), to + i);
            }
            else
            {
                for (; i <= length - TSimd.Count; i += TSimd.Count)
                    TSimd.Store(f.Invoke(TSimd.Load(left + i), TSimd.Load(right + i)), to + i);
            }

            int rest = length - i;
            if (rest == 0) return;
            TSimd value = f.Invoke(TSimd.LoadPartial(left + i, rest, default), TSimd.LoadPartial(right + i, rest, default));
            if (accumulate) value = TSimd.LoadPartial(to + i, rest, default) + value;
            TSimd.StorePartial(value, to + i, rest);
        }
    }
}
