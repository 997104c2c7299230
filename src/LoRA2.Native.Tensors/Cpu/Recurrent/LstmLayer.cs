using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;
using Gemm = LoRA2.Native.Tensors.Cpu.MatrixProducts.Gemm;

namespace LoRA2.Native.Tensors.Cpu.Recurrent;

/// <summary>The steps of an LSTM layer: the weight is packed once for all of them, and what follows the product is one pass over a step's gates.</summary>
internal static unsafe class LstmLayer
{
    public static void Forward<T>(in RecurrentSteps steps, T* gates, T* weight, T* cells, T* hidden)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int batch, int size) = (steps.Batch, steps.Size);
        int parts = SimdTask.Parts(batch, Rows(size));
        T* panels = Scratch.Get<T>(ScratchSlot.PackedRight, Gemm.PanelElements<T>(size, 4 * size));
        Gemm.Pack(true, 4 * size, size, weight, size, panels);
        for (int step = 0; step < steps.Length; step++)
        {
            int at = steps.Position(step);
            T* own = gates + (4 * steps.State * at);
            Gemm.MultiplyPacked(batch, 4 * size, size, steps.Before(hidden, at), size, panels, T.One, own, 4 * size, default);
            SimdTask.Run<T, ForwardTask<T>>(parts, new(own, steps.Before(cells, at), steps.After(cells, at), steps.After(hidden, at), batch, size));
        }
    }

    public static void Backward<T>(in RecurrentSteps steps, T* gates, T* weight, T* cells, T* dhidden, T* dcell, T* dfirst, bool needsFirst)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int batch, int size) = (steps.Batch, steps.Size);
        int parts = SimdTask.Parts(batch, Rows(size));
        T* panels = Scratch.Get<T>(ScratchSlot.PackedRight, Gemm.PanelElements<T>(4 * size, size));
        Gemm.Pack(false, size, 4 * size, weight, size, panels);
        new Span<T>(dfirst, batch * size).Clear();
        for (int step = steps.Length - 1; step >= 0; step--)
        {
            int at = steps.Position(step);
            T* own = gates + (4 * steps.State * at);
            SimdTask.Run<T, BackwardTask<T>>(parts, new(own, steps.Before(cells, at), steps.After(cells, at), dhidden + (steps.State * at), dfirst, dcell, batch, size));
            if (step > 0 || needsFirst) Gemm.MultiplyPacked(batch, size, 4 * size, own, 4 * size, panels, T.Zero, dfirst, size, default);
        }
    }

    private static int Rows(int size) => (int)SimdTask.RowsPerPart(4 * (nint)size);

    private readonly struct ForwardTask<T>(T* gates, T* before, T* cells, T* hidden, int batch, int size) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            int end = Math.Min(batch, (index + 1) * Rows(size));
            for (int row = index * Rows(size); row < end; row++)
            {
                nint at = (nint)row * size;
                T* a = gates + (4 * at);
                // A function a loop: together they are more than the compiler would inline.
                LstmRow<T, TSimd>.Sigmoid(a, 2 * size);
                LstmRow<T, TSimd>.Tanh(a + (2 * size), size, a + (2 * size));
                LstmRow<T, TSimd>.Sigmoid(a + (3 * size), size);
                LstmRow<T, TSimd>.Cell(a, before + at, size, cells + at);
                LstmRow<T, TSimd>.Tanh(cells + at, size, hidden + at);
                LstmRow<T, TSimd>.Multiply(a + (3 * size), size, hidden + at);
            }
        }
    }

    private readonly struct BackwardTask<T>(T* gates, T* before, T* cells, T* dhidden, T* dnext, T* dcell, int batch, int size) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            T* tanh = Scratch.Get<T>(ScratchSlot.Row, size);
            int end = Math.Min(batch, (index + 1) * Rows(size));
            for (int row = index * Rows(size); row < end; row++)
            {
                nint at = (nint)row * size;
                LstmRow<T, TSimd>.Tanh(cells + at, size, tanh);
                LstmRow<T, TSimd>.Backward(gates + (4 * at), before + at, tanh, dhidden + at, dnext + at, size, dcell + at);
            }
        }
    }
}
