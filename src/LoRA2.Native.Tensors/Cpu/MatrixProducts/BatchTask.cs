using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>A batch of independent products; a part is a run of them.</summary>
internal unsafe readonly struct BatchTask<T> : IParallelTask
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const double SmallestPart = 256 * 1024;

    private readonly SimdPath path;
    private readonly int count;
    private readonly int parts;
    private readonly MatrixProduct<T> first;
    private readonly nint strideA;
    private readonly T* b;
    private readonly int ldb;
    private readonly bool transB;
    private readonly nint strideB;
    private readonly nint strideC;

    public BatchTask(
        SimdPath path, int count, in MatrixProduct<T> first, nint strideA, T* b, int ldb, bool transB, nint strideB, nint strideC)
    {
        this.path = path;
        this.count = count;
        this.first = first;
        this.strideA = strideA;
        this.b = b;
        this.ldb = ldb;
        this.transB = transB;
        this.strideB = strideB;
        this.strideC = strideC;
        double work = (double)first.Rows * first.Columns * Math.Max(1, first.Depth) * count;
        parts = (int)Math.Clamp(work / SmallestPart, Math.Min(1, count), count);
    }

    public static void RunAll(in BatchTask<T> task) => ThreadTeam.Run(task.parts, task);

    public void Run(int index)
    {
        int end = (int)((long)count * (index + 1) / parts);
        for (int i = (int)((long)count * index / parts); i < end; i++)
        {
            MatrixProduct<T> call = first;
            call.A += i * strideA;
            call.C += i * strideC;
            GemmPath<T>.Multiply(path, call, b + i * strideB, ldb, transB, default);
        }
    }
}
