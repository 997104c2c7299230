using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;
using static LoRA2.Native.Tensors.Cpu.Recurrent.Lanes;

namespace LoRA2.Native.Tensors.Cpu.Recurrent;

/// <summary>The loops over one row of an LSTM's gates, i, f, g and o beside each other, and of its states.</summary>
internal static unsafe class LstmRow<T, TSimd>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TSimd : unmanaged, ISimd<TSimd, T>
{
    /// <summary>x = σ(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sigmoid(T* x, int count)
    {
        for (int i = 0; i < count; i += TSimd.Count)
        {
            int lanes = Math.Min(TSimd.Count, count - i);
            Write(SigmoidGate.Of<TSimd, T>(Read<T, TSimd>(x + i, lanes)), x + i, lanes);
        }
    }

    /// <summary>y = tanh x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tanh(T* x, int count, T* y)
    {
        for (int i = 0; i < count; i += TSimd.Count)
        {
            int lanes = Math.Min(TSimd.Count, count - i);
            Write(VectorMath.Tanh<TSimd, T>(Read<T, TSimd>(x + i, lanes)), y + i, lanes);
        }
    }

    /// <summary>y = x ∘ y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(T* x, int count, T* y)
    {
        for (int i = 0; i < count; i += TSimd.Count)
        {
            int lanes = Math.Min(TSimd.Count, count - i);
            Write(Read<T, TSimd>(x + i, lanes) * Read<T, TSimd>(y + i, lanes), y + i, lanes);
        }
    }

    /// <summary>cell = f ∘ before + i ∘ g.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Cell(T* gates, T* before, int size, T* cell)
    {
        for (int j = 0; j < size; j += TSimd.Count)
        {
            int lanes = Math.Min(TSimd.Count, size - j);
            TSimd i = Read<T, TSimd>(gates + j, lanes), f = Read<T, TSimd>(gates + size + j, lanes), g = Read<T, TSimd>(gates + (2 * size) + j, lanes);
            Write(TSimd.MultiplyAdd(f, Read<T, TSimd>(before + j, lanes), i * g), cell + j, lanes);
        }
    }

    /// <summary>The gradients of the gates' arguments, in the gates' place, of those of the hidden state (two that are added) and of the cell, which becomes that of the cell before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(T* gates, T* before, T* tanh, T* dhidden, T* dnext, int size, T* dcell)
    {
        TSimd one = VectorMath.Constant<TSimd, T>(1);
        T* input = gates, forget = gates + size, candidate = gates + (2 * size), output = gates + (3 * size);
        for (int j = 0; j < size; j += TSimd.Count)
        {
            int lanes = Math.Min(TSimd.Count, size - j);
            TSimd i = Read<T, TSimd>(input + j, lanes), f = Read<T, TSimd>(forget + j, lanes), g = Read<T, TSimd>(candidate + j, lanes), o = Read<T, TSimd>(output + j, lanes);
            TSimd t = Read<T, TSimd>(tanh + j, lanes), dh = Read<T, TSimd>(dhidden + j, lanes) + Read<T, TSimd>(dnext + j, lanes);
            TSimd dc = TSimd.MultiplyAdd(dh * o, one - (t * t), Read<T, TSimd>(dcell + j, lanes));
            Write(dc * g * (i * (one - i)), input + j, lanes);
            Write(dc * Read<T, TSimd>(before + j, lanes) * (f * (one - f)), forget + j, lanes);
            Write(dc * i * (one - (g * g)), candidate + j, lanes);
            Write(dh * t * (o * (one - o)), output + j, lanes);
            Write(dc * f, dcell + j, lanes);
        }
    }
}
