using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Recurrent;

/// <summary>The loops over one row of an LSTM's gates, i, f, g and o beside each other, and of its states. What is past the last full register is done in a partial one, by the same arithmetic.</summary>
internal static unsafe class LstmRow<T, TSimd>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TSimd : unmanaged, ISimd<TSimd, T>
{
    /// <summary>x = 1 / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sigmoid(T* x, int count)
    {
        TSimd one = VectorMath.Constant<TSimd, T>(1);
        int i = 0;
        for (; i <= count - TSimd.Count; i += TSimd.Count) TSimd.Store(one / (one + VectorMath.Exp<TSimd, T>(default(TSimd) - TSimd.Load(x + i))), x + i);
        if (i < count) TSimd.StorePartial(one / (one + VectorMath.Exp<TSimd, T>(default(TSimd) - TSimd.LoadPartial(x + i, count - i, default))), x + i, count - i);
    }

    /// <summary>y = tanh x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tanh(T* x, int count, T* y)
    {
        int i = 0;
        for (; i <= count - TSimd.Count; i += TSimd.Count) TSimd.Store(VectorMath.Tanh<TSimd, T>(TSimd.Load(x + i)), y + i);
        if (i < count) TSimd.StorePartial(VectorMath.Tanh<TSimd, T>(TSimd.LoadPartial(x + i, count - i, default)), y + i, count - i);
    }

    /// <summary>y = x ∘ y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(T* x, int count, T* y)
    {
        int i = 0;
        for (; i <= count - TSimd.Count; i += TSimd.Count) TSimd.Store(TSimd.Load(x + i) * TSimd.Load(y + i), y + i);
        if (i < count) TSimd.StorePartial(TSimd.LoadPartial(x + i, count - i, default) * TSimd.LoadPartial(y + i, count - i, default), y + i, count - i);
    }

    /// <summary>cell = f ∘ before + i ∘ g.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Cell(T* gates, T* before, int size, T* cell)
    {
        int j = 0;
        for (; j <= size - TSimd.Count; j += TSimd.Count)
            TSimd.Store(TSimd.MultiplyAdd(TSimd.Load(gates + size + j), TSimd.Load(before + j), TSimd.Load(gates + j) * TSimd.Load(gates + (2 * size) + j)), cell + j);
        int rest = size - j;
        if (rest == 0) return;
        TSimd i = TSimd.LoadPartial(gates + j, rest, default), f = TSimd.LoadPartial(gates + size + j, rest, default), g = TSimd.LoadPartial(gates + (2 * size) + j, rest, default);
        TSimd.StorePartial(TSimd.MultiplyAdd(f, TSimd.LoadPartial(before + j, rest, default), i * g), cell + j, rest);
    }

    /// <summary>The gradients of the gates' arguments, in the gates' place, of those of the hidden state (two that are added) and of the cell, which becomes that of the cell before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(T* gates, T* before, T* tanh, T* dhidden, T* dnext, int size, T* dcell)
    {
        T* input = gates, forget = gates + size, candidate = gates + (2 * size), output = gates + (3 * size);
        int j = 0;
        for (; j <= size - TSimd.Count; j += TSimd.Count)
        {
            var d = new Derivatives(
                TSimd.Load(input + j), TSimd.Load(forget + j), TSimd.Load(candidate + j), TSimd.Load(output + j),
                TSimd.Load(tanh + j), TSimd.Load(dhidden + j) + TSimd.Load(dnext + j), TSimd.Load(dcell + j), TSimd.Load(before + j));
            TSimd.Store(d.Input, input + j);
            TSimd.Store(d.Forget, forget + j);
            TSimd.Store(d.Candidate, candidate + j);
            TSimd.Store(d.Output, output + j);
            TSimd.Store(d.Cell, dcell + j);
        }

        int rest = size - j;
        if (rest == 0) return;
        var last = new Derivatives(
            TSimd.LoadPartial(input + j, rest, default), TSimd.LoadPartial(forget + j, rest, default), TSimd.LoadPartial(candidate + j, rest, default), TSimd.LoadPartial(output + j, rest, default),
            TSimd.LoadPartial(tanh + j, rest, default), TSimd.LoadPartial(dhidden + j, rest, default) + TSimd.LoadPartial(dnext + j, rest, default), TSimd.LoadPartial(dcell + j, rest, default),
            TSimd.LoadPartial(before + j, rest, default));
        TSimd.StorePartial(last.Input, input + j, rest);
        TSimd.StorePartial(last.Forget, forget + j, rest);
        TSimd.StorePartial(last.Candidate, candidate + j, rest);
        TSimd.StorePartial(last.Output, output + j, rest);
        TSimd.StorePartial(last.Cell, dcell + j, rest);
    }

    private readonly struct Derivatives
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Derivatives(TSimd i, TSimd f, TSimd g, TSimd o, TSimd t, TSimd dh, TSimd dcell, TSimd before)
        {
            TSimd one = VectorMath.Constant<TSimd, T>(1);
            TSimd dc = TSimd.MultiplyAdd(dh * o, one - (t * t), dcell);
            Input = dc * g * (i * (one - i));
            Forget = dc * before * (f * (one - f));
            Candidate = dc * i * (one - (g * g));
            Output = dh * t * (o * (one - o));
            Cell = dc * f;
        }

        public readonly TSimd Input;
        public readonly TSimd Forget;
        public readonly TSimd Candidate;
        public readonly TSimd Output;
        public readonly TSimd Cell;
    }
}
