using System.Numerics;
using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tensors.Cpu.Vectors;

/// <summary>Registers at the end of a row, where fewer elements may be left than one holds.</summary>
internal static unsafe class SimdEnds
{
    /// <summary>The first elements, up to a register of them; 0 in the other lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd LoadUpTo<TSimd, T>(T* source, int count)
        where TSimd : unmanaged, ISimd<TSimd, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => count >= TSimd.Count ? TSimd.Load(source) : TSimd.LoadPartial(source, count, default);

    /// <summary>Stores the first elements, up to a register of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreUpTo<TSimd, T>(TSimd value, T* destination, int count)
        where TSimd : unmanaged, ISimd<TSimd, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (count >= TSimd.Count) TSimd.Store(value, destination);
        else TSimd.StorePartial(value, destination, count);
    }
}
