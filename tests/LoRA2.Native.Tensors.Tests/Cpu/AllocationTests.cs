using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Tests.Cpu;

public sealed unsafe class AllocationTests : KernelTest
{
    [Fact]
    public void KernelsAllocateNothingOnceTheirScratchHasGrown()
    {
        const int Rows = 100, Columns = 700, Count = Rows * Columns;
        using var x = Array<float>(Random(Count, 1));
        using var y = Array<float>(Random(Count, 2));
        using var ids = new GuardedArray<int>(new int[Rows]);
        int before = ThreadTeam.Count;
        try
        {
            ThreadTeam.Count = 2;
            All();
            long start = GC.GetAllocatedBytesForCurrentThread();
            All();
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - start);
        }
        finally
        {
            ThreadTeam.Count = before;
        }

        void All()
        {
            float* a = x.Pointer, b = y.Pointer;
            for (int i = 0; i < 3; i++)
            {
                Elementwise.Add(a, b, Count, b);
                Activations.Forward(Activation.Gelu, a, Count, b);
                Softmax.Forward(a, Rows, Columns, b);
                LayerNorm.Forward(a, null, a, a, Rows - 2, Columns, 1e-5, null, b, b + ((Rows - 2) * Columns), b + ((Rows - 1) * Columns));
                Dropout.Run(a, Count, 0.1, new Philox(1), b, accumulate: false);
                CrossEntropy.Forward(a, ids.Pointer, Rows, Columns);
                Reduction.SumOfSquares(a, Count);
                StridedCopy.Run(a, [Columns, Rows], [1, Columns], b);
                EmbeddingRows.Gather(a, ids.Pointer, Rows, Columns, b);
            }
        }
    }
}
