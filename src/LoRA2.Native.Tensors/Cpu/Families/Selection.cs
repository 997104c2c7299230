using System.Numerics;
using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>
/// y = condition ? a : b along a row, for elements of 1, 2, 4 or 8 bytes. A register of truth values at a time becomes masks of the elements' size.
/// a and b may be one number all along: their step is 0 then, else 1.
/// </summary>
internal static unsafe class Selection
{
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row<T>(bool* condition, T* a, nint stepA, T* b, nint stepB, T* y, nint length)
        where T : unmanaged
    {
        T* repeated = stackalloc T[2 * Vector<T>.Count];
        Vector.Store(new Vector<T>(*a), repeated);
        Vector.Store(new Vector<T>(*b), repeated + Vector<T>.Count);
        T* left = stepA == 0 ? repeated : a;
        T* right = stepB == 0 ? repeated + Vector<T>.Count : b;
        nint i = 0;
        for (; i <= length - Vector<sbyte>.Count; i += Vector<sbyte>.Count)
        {
            Vector<sbyte> clear = Vector.Equals(Vector.Load((sbyte*)(condition + i)), Vector<sbyte>.Zero);
            T* l = left + (i * stepA);
            T* r = right + (i * stepB);
            if (sizeof(T) == 1) Put(clear.As<sbyte, T>(), l, stepA, r, stepB, y + i, 0);
            else Two(clear, l, stepA, r, stepB, y + i);
        }

        for (; i < length; i++) y[i] = condition[i] ? a[i * stepA] : b[i * stepB];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Two<T>(Vector<sbyte> clear, T* a, nint stepA, T* b, nint stepB, T* y)
        where T : unmanaged
    {
        Vector.Widen(clear, out Vector<short> first, out Vector<short> second);
        if (sizeof(T) == 2)
        {
            Put(first.As<short, T>(), a, stepA, b, stepB, y, 0);
            Put(second.As<short, T>(), a, stepA, b, stepB, y, 1);
        }
        else
        {
            Four(first, a, stepA, b, stepB, y, 0);
            Four(second, a, stepA, b, stepB, y, sizeof(T) / 2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four<T>(Vector<short> clear, T* a, nint stepA, T* b, nint stepB, T* y, int register)
        where T : unmanaged
    {
        Vector.Widen(clear, out Vector<int> first, out Vector<int> second);
        if (sizeof(T) == 4)
        {
            Put(first.As<int, T>(), a, stepA, b, stepB, y, register);
            Put(second.As<int, T>(), a, stepA, b, stepB, y, register + 1);
        }
        else
        {
            Eight(first, a, stepA, b, stepB, y, register);
            Eight(second, a, stepA, b, stepB, y, register + 2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Eight<T>(Vector<int> clear, T* a, nint stepA, T* b, nint stepB, T* y, int register)
        where T : unmanaged
    {
        Vector.Widen(clear, out Vector<long> first, out Vector<long> second);
        Put(first.As<long, T>(), a, stepA, b, stepB, y, register);
        Put(second.As<long, T>(), a, stepA, b, stepB, y, register + 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(Vector<T> clear, T* a, nint stepA, T* b, nint stepB, T* y, int register)
        where T : unmanaged
    {
        nint at = register * Vector<T>.Count;
        Vector.Store(Vector.ConditionalSelect(clear, Vector.Load(b + (at * stepB)), Vector.Load(a + (at * stepA))), y + at);
    }
}
