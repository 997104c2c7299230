using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoRA2.Native.Tensors.Cpu.Vectors;

/// <summary>A task whose parts are written over a register type; see <see cref="SimdTask"/>.</summary>
internal interface ISimdTask<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Does part <paramref name="index"/> in registers of type <typeparamref name="TSimd"/>.</summary>
    void Run<TSimd>(int index)
        where TSimd : unmanaged, ISimd<TSimd, T>;
}

/// <summary>Runs a task's parts on the thread team, in the registers that <see cref="SimdPaths"/> chose.</summary>
internal static class SimdTask
{
    /// <summary>
    /// Elements of one part of an elementwise kernel: small enough to stay in L1 and L2, large enough to be worth a thread's while.
    /// It does not depend on the number of threads, so neither does any result.
    /// </summary>
    public const int BlockElements = 16384;

    /// <summary>How many parts of <paramref name="size"/> cover <paramref name="count"/> elements.</summary>
    public static int Parts(nint count, nint size = BlockElements) => checked((int)((count + size - 1) / size));

    /// <summary>Rows in a part when a row has <paramref name="columns"/> elements; 1 at least.</summary>
    public static nint RowsPerPart(nint columns) => Math.Max(1, BlockElements / Math.Max(1, columns));

    /// <summary>Runs parts 0 … <paramref name="parts"/> − 1.</summary>
    public static void Run<T, TTask>(int parts, TTask task)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTask : unmanaged, ISimdTask<T> => ThreadTeam.Run(parts, new Part<T, TTask>(task));

    /// <summary>Runs one part on this thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunPart<T, TTask>(TTask task, int index)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTask : unmanaged, ISimdTask<T>
    {
        // The constants drop the forms that this processor can't have from the compiled code.
        SimdPath path = SimdPaths.Current;
        if (Vector512.IsHardwareAccelerated && path == SimdPath.Vector512) task.Run<Simd512<T>>(index);
        else if (Vector256.IsHardwareAccelerated && path >= SimdPath.Vector256) task.Run<Simd256<T>>(index);
        else task.Run<Simd128<T>>(index);
    }

    private readonly struct Part<T, TTask>(TTask task) : IParallelTask
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTask : unmanaged, ISimdTask<T>
    {
        public void Run(int index) => RunPart<T, TTask>(task, index);
    }
}
