using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;
using Gemm = LoRA2.Native.Tensors.Cpu.MatrixProducts.Gemm;

namespace LoRA2.Native.Tensors.Cpu.Recurrent;

/// <summary>The arrays of one direction of a GRU layer, as <see cref="Devices.Kernels.Gru"/> has them.</summary>
internal readonly unsafe struct GruArrays<T>(int length, int batch, int size, bool reverse, T* gates, T* own, T* weight, T* hidden)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public int Length => length;

    public int Batch => batch;

    public int Size => size;

    public T* Weight => weight;

    /// <summary>Elements of a state.</summary>
    public nint State => (nint)batch * size;

    public T* GatesAt(int position) => gates + (3 * State * position);

    public T* OwnAt(int position) => own + (3 * State * position);

    /// <summary>The state that a position starts from.</summary>
    public T* Before(int position) => hidden + (State * (reverse ? position + 1 : position));

    /// <summary>The state that it ends with.</summary>
    public T* After(int position) => hidden + (State * (reverse ? position : position + 1));

    /// <summary>The position of a step.</summary>
    public int Position(int step) => reverse ? length - 1 - step : step;
}

/// <summary>The steps of a GRU layer: the weight is packed once for all of them, and what follows the product is one pass over a step's gates.</summary>
internal static unsafe class GruLayer
{
    public static void Forward<T>(in GruArrays<T> layer, T* bias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int batch, int size) = (layer.Batch, layer.Size);
        T* panels = Scratch.Get<T>(ScratchSlot.PackedRight, Gemm.PanelElements<T>(size, 3 * size));
        Gemm.Pack(true, 3 * size, size, layer.Weight, size, panels);
        for (int step = 0; step < layer.Length; step++)
        {
            int at = layer.Position(step);
            T* own = layer.OwnAt(at);
            for (int row = 0; bias != null && row < batch; row++) new Span<T>(bias, 3 * size).CopyTo(new Span<T>(own + ((nint)row * 3 * size), 3 * size));
            Gemm.MultiplyPacked(batch, 3 * size, size, layer.Before(at), size, panels, bias == null ? T.Zero : T.One, own, 3 * size);
            SimdTask.Run<T, ForwardTask<T>>(SimdTask.Parts(batch, Rows(size)), new(layer.GatesAt(at), own, layer.Before(at), layer.After(at), batch, size));
        }
    }

    public static void Backward<T>(in GruArrays<T> layer, T* dhidden, T* dfirst)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int batch, int size) = (layer.Batch, layer.Size);
        T* panels = Scratch.Get<T>(ScratchSlot.PackedRight, Gemm.PanelElements<T>(3 * size, size));
        Gemm.Pack(false, size, 3 * size, layer.Weight, size, panels);
        new Span<T>(dfirst, batch * size).Clear();
        for (int step = layer.Length - 1; step >= 0; step--)
        {
            int at = layer.Position(step);
            T* own = layer.OwnAt(at);
            SimdTask.Run<T, BackwardTask<T>>(SimdTask.Parts(batch, Rows(size)), new(layer.GatesAt(at), own, layer.Before(at), dhidden + (layer.State * at), dfirst, batch, size));
            Gemm.MultiplyPacked(batch, size, 3 * size, own, 3 * size, panels, T.One, dfirst, size);
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Read<T, TSimd>(T* from, int lanes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T> => lanes == TSimd.Count ? TSimd.Load(from) : TSimd.LoadPartial(from, lanes, default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write<T, TSimd>(TSimd value, T* to, int lanes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        if (lanes == TSimd.Count) TSimd.Store(value, to);
        else TSimd.StorePartial(value, to, lanes);
    }
}
