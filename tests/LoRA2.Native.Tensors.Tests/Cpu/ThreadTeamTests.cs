using LoRA2.Native.Tensors.Cpu;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>Tests that set the number of threads, or measure what a region does, run one after another in this collection.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed unsafe class ThreadTeamTests
{
    [Fact]
    public void EveryPartRunsOnceWhateverTheNumberOfThreads()
    {
        int* counts = stackalloc int[1000];
        foreach (int threads in new[] { 1, 2, 5, 33, 3 })
        {
            int before = ThreadTeam.Count;
            ThreadTeam.Count = threads;
            foreach (int parts in new[] { 0, 1, 2, 7, 1000 })
            {
                new Span<int>(counts, 1000).Clear();
                ThreadTeam.Run(parts, new CountTask { Counts = counts });
                for (int i = 0; i < 1000; i++) Assert.Equal(i < parts ? 1 : 0, counts[i]);
            }

            ThreadTeam.Count = before;
        }
    }

    [Fact]
    public void AnExceptionReachesTheCallerAndTheTeamGoesOn()
    {
        WithThreads(3, () =>
        {
            for (int i = 0; i < 20; i++)
            {
                var thrown = Assert.Throws<InvalidOperationException>(() => ThreadTeam.Run(50, new FailingTask { Failing = i }));
                Assert.Equal($"part {i}", thrown.Message);
                int counter = 0;
                ThreadTeam.Run(50, new CountTask { Counts = &counter, Single = true });
                Assert.Equal(50, counter);
            }
        });
    }

    [Fact]
    public void ARegionInsideARegionRunsOnItsOwnThread()
    {
        WithThreads(4, () =>
        {
            int counter = 0;
            ThreadTeam.Run(8, new NestingTask { Counter = &counter });
            Assert.Equal(8 * 5, counter);
        });
    }

    [Fact]
    public void CallersOnSeveralThreadsAndAChangingCountDoNotDisturbEachOther()
    {
        WithThreads(2, () =>
        {
            var callers = new Thread[6];
            int wrong = 0;
            for (int i = 0; i < callers.Length; i++)
            {
                callers[i] = new Thread(number =>
                {
                    for (int round = 0; round < 300; round++)
                    {
                        if ((int)number! == 0) ThreadTeam.Count = 1 + round % 6;
                        int counter = 0;
                        ThreadTeam.Run(17, new CountTask { Counts = &counter, Single = true });
                        if (counter != 17) Interlocked.Increment(ref wrong);
                        if (round % 50 == 0) Thread.Sleep(2);
                    }
                });
                callers[i].Start(i);
            }

            foreach (Thread caller in callers) caller.Join();
            Assert.Equal(0, wrong);
        });
    }

    [Fact]
    public void StartingARegionAllocatesNothing()
    {
        WithThreads(2, () =>
        {
            int counter = 0;
            ThreadTeam.Run(4, new CountTask { Counts = &counter, Single = true });
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 10; i++) ThreadTeam.Run(4, new CountTask { Counts = &counter, Single = true });
            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
            Assert.Equal(44, counter);
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1025)]
    public void AnImpossibleCountIsRefused(int threads) => Assert.Throws<ArgumentOutOfRangeException>(() => ThreadTeam.Count = threads);

    private static void WithThreads(int threads, Action action)
    {
        int before = ThreadTeam.Count;
        try
        {
            ThreadTeam.Count = threads;
            action();
        }
        finally
        {
            ThreadTeam.Count = before;
        }
    }

    private struct CountTask : IParallelTask
    {
        public int* Counts;

        /// <summary>Whether all parts share one counter.</summary>
        public bool Single;

        public readonly void Run(int index) => Interlocked.Increment(ref Counts[Single ? 0 : index]);
    }

    private struct FailingTask : IParallelTask
    {
        public int Failing;

        public readonly void Run(int index)
        {
            if (index == Failing) throw new InvalidOperationException($"part {index}");
        }
    }

    private struct NestingTask : IParallelTask
    {
        public int* Counter;

        public readonly void Run(int index)
        {
            if (ThreadTeam.Available != 1) throw new InvalidOperationException("a nested region would use more than its own thread");
            ThreadTeam.Run(5, new CountTask { Counts = Counter, Single = true });
        }
    }
}
