using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu;

/// <summary>
/// The end of a matrix product's epilogue on a block of C that was just written and is in cache: C += Bias in every row + Residual, then Activated = gelu(C).
/// Each pointer is to the block's first element and may be null.
/// </summary>
internal unsafe readonly struct TileFinish<T>(T* bias, T* residual, nint residualStep, T* activated, T* c, nint cStep, int rows, int columns) : ISimdTask<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public void Run() => SimdTask.RunPart<T, TileFinish<T>>(this, 0);

    public void Run<TSimd>(int index)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        for (int row = 0; row < rows; row++)
        {
            int i = 0;
            for (; i <= columns - TSimd.Count; i += TSimd.Count)
            {
                TSimd value = TSimd.Load(c + row * cStep + i);
                if (bias != null) value += TSimd.Load(bias + i);
                if (residual != null) value += TSimd.Load(residual + row * residualStep + i);
                if (bias != null || residual != null) TSimd.Store(value, c + row * cStep + i);
                if (activated != null) TSimd.Store(Gelu.Of<TSimd, T>(value), activated + row * cStep + i);
            }

            if (i < columns) Partial<TSimd>(row, i, columns - i);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Partial<TSimd>(int row, int i, int rest)
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd value = TSimd.LoadPartial(c + row * cStep + i, rest, default);
        if (bias != null) value += TSimd.LoadPartial(bias + i, rest, default);
        if (residual != null) value += TSimd.LoadPartial(residual + row * residualStep + i, rest, default);
        if (bias != null || residual != null) TSimd.StorePartial(value, c + row * cStep + i, rest);
        if (activated != null) TSimd.StorePartial(Gelu.Of<TSimd, T>(value), activated + row * cStep + i, rest);
    }
}
