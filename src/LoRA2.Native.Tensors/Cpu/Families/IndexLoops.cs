using System.Numerics;
using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>Picking elements by indices, and putting them back or adding them: outer positions are shared out, the indices of one are taken in order.</summary>
internal static unsafe class IndexLoops
{
    /// <summary>picked = dense[index].</summary>
    public static void Take<T>(T* dense, IndexShape shape, long* index, T* picked)
        where T : unmanaged => Run<T, TakeElements<T>>(dense, shape, index, picked);

    /// <summary>dense[index] = picked.</summary>
    public static void Put<T>(T* dense, IndexShape shape, long* index, T* picked)
        where T : unmanaged => Run<T, PutElements<T>>(dense, shape, index, picked);

    /// <summary>dense[index] += picked.</summary>
    public static void Add<T>(T* dense, IndexShape shape, long* index, T* picked)
        where T : unmanaged, INumberBase<T> => Run<T, AddElements<T>>(dense, shape, index, picked);

    private static void Run<T, TMove>(T* dense, IndexShape shape, long* index, T* picked)
        where T : unmanaged
        where TMove : struct, IMove<T>
    {
        nint rows = SimdTask.RowsPerPart(shape.Count * shape.Inner);
        ThreadTeam.Run(SimdTask.Parts(shape.Outer, rows), new Task<T, TMove>(dense, shape, rows, index, picked));
    }

    private readonly struct Task<T, TMove>(T* dense, IndexShape shape, nint rows, long* index, T* picked) : IParallelTask
        where T : unmanaged
        where TMove : struct, IMove<T>
    {
        public void Run(int part)
        {
            nint end = Math.Min(shape.Outer, (part + 1) * rows);
            for (nint o = part * rows; o < end; o++)
            {
                T* from = dense + (o * shape.Length * shape.Inner);
                for (nint n = 0; n < shape.Count; n++)
                {
                    T* at = picked + (((o * shape.Count) + n) * shape.Inner);
                    if (shape.Shared)
                    {
                        TMove.Move(from + ((nint)index[n] * shape.Inner), at, shape.Inner);
                        continue;
                    }

                    long* places = index + (((o * shape.Count) + n) * shape.Inner);
                    for (nint i = 0; i < shape.Inner; i++) TMove.Move(from + ((nint)places[i] * shape.Inner) + i, at + i, 1);
                }
            }
        }
    }

    private interface IMove<T>
        where T : unmanaged
    {
        static abstract void Move(T* dense, T* picked, nint count);
    }

    private readonly struct TakeElements<T> : IMove<T>
        where T : unmanaged
    {
        public static void Move(T* dense, T* picked, nint count)
        {
            if (count == 1) *picked = *dense;
            else NativeMemory.Copy(dense, picked, (nuint)(count * sizeof(T)));
        }
    }

    private readonly struct PutElements<T> : IMove<T>
        where T : unmanaged
    {
        public static void Move(T* dense, T* picked, nint count)
        {
            if (count == 1) *dense = *picked;
            else NativeMemory.Copy(picked, dense, (nuint)(count * sizeof(T)));
        }
    }

    private readonly struct AddElements<T> : IMove<T>
        where T : unmanaged, INumberBase<T>
    {
        public static void Move(T* dense, T* picked, nint count)
        {
            for (nint i = 0; i < count; i++) dense[i] += picked[i];
        }
    }
}

/// <summary>outer × length × inner elements, of which indices pick outer × count × inner; with <see cref="Shared"/> one line of indices serves all.</summary>
internal readonly record struct IndexShape(nint Outer, nint Length, nint Inner, nint Count, bool Shared);
