using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Recurrent;

/// <summary>Registers at the end of a row, of which only the first lanes are the row's.</summary>
internal static unsafe class Lanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Read<T, TSimd>(T* from, int lanes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T> => lanes == TSimd.Count ? TSimd.Load(from) : TSimd.LoadPartial(from, lanes, default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<T, TSimd>(TSimd value, T* to, int lanes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        if (lanes == TSimd.Count) TSimd.Store(value, to);
        else TSimd.StorePartial(value, to, lanes);
    }
}
