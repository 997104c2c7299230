using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;
using Gemm = LoRA2.Native.Tensors.Cpu.MatrixProducts.Gemm;

namespace LoRA2.Native.Tensors.Cpu.Recurrent;

/// <summary>The arrays of one direction of an LSTM layer, as <see cref="Devices.Kernels.Lstm"/> has them.</summary>
internal readonly unsafe struct LstmArrays<T>(int length, int batch, int size, bool reverse)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public int Length => length;

    public int Batch => batch;

    public int Size => size;

    public required T* Gates { get; init; }

    public required T* Weight { get; init; }

    public required T* Cells { get; init; }

    /// <summary>Elements of a state.</summary>
    public nint State => (nint)batch * size;

    /// <summary>The gates of a position.</summary>
    public T* GatesAt(int position) => Gates + (4 * State * position);

    /// <summary>Of arrays with a first state: the one that a position starts from.</summary>
    public T* Before(T* states, int position) => states + (State * (reverse ? position + 1 : position));

    /// <summary>Of arrays with a first state: the one that a position ends with.</summary>
    public T* After(T* states, int position) => states + (State * (reverse ? position : position + 1));

    /// <summary>The position of a step.</summary>
    public int Position(int step) => reverse ? length - 1 - step : step;
}

/// <summary>The steps of an LSTM layer: the weight is packed once for all of them, and what follows the product is one pass over a step's gates.</summary>
internal static unsafe class LstmLayer
{
    public static void Forward<T>(in LstmArrays<T> layer, T* hidden)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int batch, int size) = (layer.Batch, layer.Size);
        int parts = SimdTask.Parts(batch, Rows(size));
        T* panels = Scratch.Get<T>(ScratchSlot.PackedRight, Gemm.PanelElements<T>(size, 4 * size));
        Gemm.Pack(true, 4 * size, size, layer.Weight, size, panels);
        for (int step = 0; step < layer.Length; step++)
        {
            int at = layer.Position(step);
            T* gates = layer.GatesAt(at);
            Gemm.MultiplyPacked(batch, 4 * size, size, layer.Before(hidden, at), size, panels, T.One, gates, 4 * size);
            SimdTask.Run<T, ForwardTask<T>>(parts, new(gates, layer.Before(layer.Cells, at), layer.After(layer.Cells, at), layer.After(hidden, at), batch, size));
        }
    }

    public static void Backward<T>(in LstmArrays<T> layer, T* dhidden, T* dcell, T* dfirst)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int batch, int size) = (layer.Batch, layer.Size);
        int parts = SimdTask.Parts(batch, Rows(size));
        T* panels = Scratch.Get<T>(ScratchSlot.PackedRight, Gemm.PanelElements<T>(4 * size, size));
        Gemm.Pack(false, size, 4 * size, layer.Weight, size, panels);
        new Span<T>(dfirst, batch * size).Clear();
        for (int step = layer.Length - 1; step >= 0; step--)
        {
            int at = layer.Position(step);
            T* gates = layer.GatesAt(at);
            SimdTask.Run<T, BackwardTask<T>>(parts, new(gates, layer.Before(layer.Cells, at), layer.After(layer.Cells, at), dhidden + (layer.State * at), dfirst, dcell, batch, size));
            Gemm.MultiplyPacked(batch, size, 4 * size, gates, 4 * size, panels, T.Zero, dfirst, size);
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
