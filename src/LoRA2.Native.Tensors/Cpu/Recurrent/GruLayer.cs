using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;
using static LoRA2.Native.Tensors.Cpu.Recurrent.Lanes;
using Gemm = LoRA2.Native.Tensors.Cpu.MatrixProducts.Gemm;

namespace LoRA2.Native.Tensors.Cpu.Recurrent;

/// <summary>The steps of a GRU layer: the weight is packed once for all of them, and what follows the product is one pass over a step's gates.</summary>
internal static unsafe class GruLayer
{
    public static void Forward<T>(in RecurrentSteps steps, T* gates, T* own, T* weight, T* bias, T* hidden)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int batch, int size) = (steps.Batch, steps.Size);
        int parts = SimdTask.Parts(batch, Rows(size));
        T* panels = Scratch.Get<T>(ScratchSlot.PackedRight, Gemm.PanelElements<T>(size, 3 * size));
        Gemm.Pack(true, 3 * size, size, weight, size, panels);
        for (int step = 0; step < steps.Length; step++)
        {
            int at = steps.Position(step);
            nint first = 3 * steps.State * at;
            T* before = steps.Before(hidden, at);
            Gemm.MultiplyPacked(batch, 3 * size, size, before, size, panels, T.Zero, own + first, 3 * size, new MatrixProducts.Epilogue<T> { Bias = bias });
            SimdTask.Run<T, ForwardTask<T>>(parts, new(gates + first, own + first, before, steps.After(hidden, at), batch, size));
        }
    }

    public static void Backward<T>(in RecurrentSteps steps, T* gates, T* own, T* weight, T* hidden, T* dhidden, T* dfirst, bool needsFirst)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int batch, int size) = (steps.Batch, steps.Size);
        int parts = SimdTask.Parts(batch, Rows(size));
        T* panels = Scratch.Get<T>(ScratchSlot.PackedRight, Gemm.PanelElements<T>(3 * size, size));
        Gemm.Pack(false, size, 3 * size, weight, size, panels);
        new Span<T>(dfirst, batch * size).Clear();
        for (int step = steps.Length - 1; step >= 0; step--)
        {
            int at = steps.Position(step);
            nint first = 3 * steps.State * at;
            SimdTask.Run<T, BackwardTask<T>>(parts, new(gates + first, own + first, steps.Before(hidden, at), dhidden + (steps.State * at), dfirst, batch, size));
            if (step > 0 || needsFirst) Gemm.MultiplyPacked(batch, size, 3 * size, own + first, 3 * size, panels, T.One, dfirst, size, default);
        }
    }

    private static int Rows(int size) => (int)SimdTask.RowsPerPart(3 * (nint)size);

    private readonly struct ForwardTask<T>(T* gates, T* own, T* before, T* hidden, int batch, int size) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            int end = Math.Min(batch, (index + 1) * Rows(size));
            for (int row = index * Rows(size); row < end; row++)
            {
                nint at = (nint)row * size;
                T* a = gates + (3 * at), b = own + (3 * at);
                for (int j = 0; j < 2 * size; j += TSimd.Count)
                {
                    int lanes = Math.Min(TSimd.Count, (2 * size) - j);
                    Write(Read<T, TSimd>(a + j, lanes) + Read<T, TSimd>(b + j, lanes), a + j, lanes);
                }

                LstmRow<T, TSimd>.Sigmoid(a, 2 * size);
                T* candidate = a + (2 * size);
                for (int j = 0; j < size; j += TSimd.Count)
                {
                    int lanes = Math.Min(TSimd.Count, size - j);
                    Write(TSimd.MultiplyAdd(Read<T, TSimd>(a + j, lanes), Read<T, TSimd>(b + (2 * size) + j, lanes), Read<T, TSimd>(candidate + j, lanes)), candidate + j, lanes);
                }

                LstmRow<T, TSimd>.Tanh(candidate, size, candidate);
                for (int j = 0; j < size; j += TSimd.Count)
                {
                    int lanes = Math.Min(TSimd.Count, size - j);
                    TSimd n = Read<T, TSimd>(candidate + j, lanes);
                    Write(TSimd.MultiplyAdd(Read<T, TSimd>(a + size + j, lanes), Read<T, TSimd>(before + at + j, lanes) - n, n), hidden + at + j, lanes);
                }
            }
        }
    }

    private readonly struct BackwardTask<T>(T* gates, T* own, T* before, T* dhidden, T* dnext, int batch, int size) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            TSimd one = VectorMath.Constant<TSimd, T>(1);
            int end = Math.Min(batch, (index + 1) * Rows(size));
            for (int row = index * Rows(size); row < end; row++)
            {
                nint at = (nint)row * size;
                for (int j = 0; j < size; j += TSimd.Count)
                {
                    int lanes = Math.Min(TSimd.Count, size - j);
                    T* a = gates + (3 * at) + j, b = own + (3 * at) + j;
                    TSimd r = Read<T, TSimd>(a, lanes), z = Read<T, TSimd>(a + size, lanes), n = Read<T, TSimd>(a + (2 * size), lanes);
                    TSimd dh = Read<T, TSimd>(dhidden + at + j, lanes) + Read<T, TSimd>(dnext + at + j, lanes);
                    TSimd candidate = dh * (one - z) * (one - (n * n));
                    TSimd update = dh * (Read<T, TSimd>(before + at + j, lanes) - n) * (z * (one - z));
                    TSimd reset = candidate * Read<T, TSimd>(b + (2 * size), lanes) * (r * (one - r));
                    Write(reset, a, lanes);
                    Write(update, a + size, lanes);
                    Write(candidate, a + (2 * size), lanes);
                    Write(reset, b, lanes);
                    Write(update, b + size, lanes);
                    Write(candidate * r, b + (2 * size), lanes);
                    Write(dh * z, dnext + at + j, lanes);
                }
            }
        }
    }
}
