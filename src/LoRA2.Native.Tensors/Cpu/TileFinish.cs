using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu;

/// <summary>
/// The end of a matrix product's epilogue on a block of C that was just written and is in cache: C += Bias in every row + Residual, then Activated = activation(C).
/// Each pointer is to the block's first element and may be null.
/// </summary>
internal unsafe readonly struct TileFinish<T>(T* bias, T* residual, nint residualStep, T* activated, nint activatedStep, Activation activation, T* c, nint cStep, int rows, int columns) : ISimdTask<T>, IActivationUse<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public void Run()
    {
        if (activated == null) SimdTask.RunPart<T, TileFinish<T>>(this, 0);
        else Activations.Use<T, TileFinish<T>>(activation, this);
    }

    /// <summary>After a product in 8 bits, whose own error hides that of <see cref="CoarseGelu{T}"/>.</summary>
    public void RunIn8Bits()
    {
        if (activated != null && activation == Activation.Gelu) SimdTask.RunPart<T, Activating<CoarseGelu<T>>>(new(this), 0);
        else Run();
    }

    public void With<TActivation>()
        where TActivation : unmanaged, IActivation<T> => SimdTask.RunPart<T, Activating<TActivation>>(new(this), 0);

    /// <summary>Without an activation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<TSimd>(int index)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        for (int row = 0; row < rows; row++)
        {
            int i = 0;
            for (; i <= columns - TSimd.Count; i += TSimd.Count) Added<TSimd>(row, i);
            if (i < columns) AddedPartially<TSimd>(row, i, columns - i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TSimd Added<TSimd>(int row, int i)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd value = TSimd.Load(c + row * cStep + i);
        if (bias != null) value += TSimd.Load(bias + i);
        if (residual != null) value += TSimd.Load(residual + row * residualStep + i);
        if (bias != null || residual != null) TSimd.Store(value, c + row * cStep + i);
        return value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private TSimd AddedPartially<TSimd>(int row, int i, int rest)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd value = TSimd.LoadPartial(c + row * cStep + i, rest, default);
        if (bias != null) value += TSimd.LoadPartial(bias + i, rest, default);
        if (residual != null) value += TSimd.LoadPartial(residual + row * residualStep + i, rest, default);
        if (bias != null || residual != null) TSimd.StorePartial(value, c + row * cStep + i, rest);
        return value;
    }

    private readonly struct Activating<TActivation>(TileFinish<T> finish) : ISimdTask<T>
        where TActivation : unmanaged, IUnaryOperator<T>
    {
        private readonly TileFinish<T> finish = finish;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T> => finish.Activate<TSimd, TActivation>();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Activate<TSimd, TActivation>()
        where TSimd : unmanaged, ISimd<TSimd, T>
        where TActivation : unmanaged, IUnaryOperator<T>
    {
        for (int row = 0; row < rows; row++)
        {
            int i = 0;
            for (; i <= columns - TSimd.Count; i += TSimd.Count) TSimd.Store(default(TActivation).Invoke(Added<TSimd>(row, i)), activated + row * activatedStep + i);
            if (i == columns) continue;
            TSimd last = AddedPartially<TSimd>(row, i, columns - i);
            TSimd.StorePartial(default(TActivation).Invoke(last), activated + row * activatedStep + i, columns - i);
        }
    }
}
