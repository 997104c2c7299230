using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>Tests that set the number of threads, or measure what a region does, run one after another in this collection.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed unsafe class ThreadTeamTests
{
    [Fact]
    public void EveryPartRunsOnceWhateverTheNumberOfThreads()
    {
        int before = ThreadTeam.Count;
        try
        {
            int* counts = stackalloc int[1000];
            foreach (int threads in new[] { 1, 2, 5, 33, 3 })
            {
                ThreadTeam.Count = threads;
                foreach (int parts in new[] { 0, 1, 2, 7, 1000 })
                {
                    new Span<int>(counts, 1000).Clear();
                    ThreadTeam.Run(parts, new CountTask { Counts = counts });
                    for (int i = 0; i < 1000; i++) Assert.Equal(i < parts ? 1 : 0, counts[i]);
                }
            }
        }
        finally
        {
            ThreadTeam.Count = before;
        }
    }

    private struct CountTask : IParallelTask
    {
        public int* Counts;

        public readonly void Run(int index) => Interlocked.Increment(ref Counts[index]);
    }
}
