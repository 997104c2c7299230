using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Tests.Cpu;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>
/// Threads that dispose of a tensor others dispose of or read, while the pool hands its block out again and gives blocks back to the system. LORA2_STRESS_ROUNDS sets the
/// number of rounds. The pool is shared, so these run alone.
/// </summary>
[Collection(ThreadCountCollection.Name)]
public sealed class MemoryThreadsTests
{
    private const int Size = 3000;
    private const int Threads = 4;
    private static readonly int Rounds = 20 * (int.TryParse(Environment.GetEnvironmentVariable("LORA2_STRESS_ROUNDS"), out int rounds) ? rounds : 20);

    public MemoryThreadsTests() => Collect();

    /// <summary>A block that is given back twice would be two tensors' at once.</summary>
    [Fact]
    public void ATensorIsDisposedOfOnceHoweverManyThreadsDoSo()
    {
        long inUse = MemoryPool.Shared.BytesInUse;
        Tensor? shared = null;
        using var barrier = new Barrier(Threads, _ => shared = Tensor.Full([Size], -1));
        OnAll(thread =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                barrier.SignalAndWait();
                shared!.Dispose();
                float value = (round * Threads) + thread;
                using Tensor own = Tensor.Full([Size], value);
                if (round % 50 == thread) MemoryPool.Shared.Trim();
                Assert.Equal(value, Assert.Single(own.ToArray<float>().Distinct()));
            }
        });
        Assert.Equal(inUse, MemoryPool.Shared.BytesInUse);
    }

    /// <summary>A copy is of the tensor's own elements, or there is none: not of those of the tensor that got the block next, and not of memory that is no more.</summary>
    [Fact]
    public void WhatIsReadIsTheTensorsOwnOrIsGone()
    {
        long inUse = MemoryPool.Shared.BytesInUse;
        var shared = new Tensor[1];
        shared[0] = Tensor.Full([Size], 1);
        int ended = 0;
        (int read, int gone) = (0, 0);
        OnAll(thread =>
        {
            if (thread == 0)
            {
                for (int round = 0; round < Rounds || Volatile.Read(ref read) < Rounds; round++)
                {
                    Tensor old = shared[0];
                    Volatile.Write(ref shared[0], Tensor.Full([Size], round % 7));
                    old.Dispose();
                    using Tensor other = Tensor.Full([Size], -5);
                    if (round % 20 == 0) MemoryPool.Shared.Trim();
                }

                Volatile.Write(ref ended, 1);
                return;
            }

            float[] values = new float[Size];
            while (Volatile.Read(ref ended) == 0)
            {
                Tensor tensor = Volatile.Read(ref shared[0]);
                try
                {
                    if (thread == 1)
                    {
                        tensor.Read<float>(values);
                    }
                    else if (thread == 2)
                    {
                        using Tensor copy = tensor.Clone();
                        values = copy.ToArray<float>();
                    }
                    else
                    {
                        using Tensor copy = Tensor.Zeros([Size]);
                        copy.CopyFrom(tensor);
                        values = copy.ToArray<float>();
                    }

                    Assert.InRange(Assert.Single(values.Distinct()), 0, 6);
                    Interlocked.Increment(ref read);
                }
                catch (ObjectDisposedException)
                {
                    Interlocked.Increment(ref gone);
                }
            }
        });
        shared[0].Dispose();
        Assert.True(read > 0, $"{read} read, {gone} gone");
        Collect();
        Assert.Equal(inUse, MemoryPool.Shared.BytesInUse);
    }

    /// <summary>Every thread takes and gives back blocks of many sizes; each finds in them what it wrote, and in the end the pool has all of them.</summary>
    [Fact]
    public void ThePoolsBlocksAreOneOwnersAtATime()
    {
        long inUse = MemoryPool.Shared.BytesInUse;
        OnAll(thread =>
        {
            var random = new Random(thread);
            var held = new Queue<(Tensor Tensor, float Value)>();
            for (int round = 0; round < Rounds * 5; round++)
            {
                float value = (round * Threads) + thread;
                held.Enqueue((Tensor.Full([random.Next(1, 2000)], value), value));
                if (held.Count > 8 || random.Next(3) == 0)
                {
                    (Tensor tensor, float expected) = held.Dequeue();
                    Assert.Equal(expected, Assert.Single(tensor.ToArray<float>().Distinct()));
                    tensor.Dispose();
                }

                if (random.Next(100) == 0) MemoryPool.Shared.Trim();
            }

            foreach ((Tensor tensor, _) in held) tensor.Dispose();
        });
        Assert.Equal(inUse, MemoryPool.Shared.BytesInUse);
        MemoryPool.Shared.Trim();
        Assert.True(MemoryPool.Shared.BytesReserved >= MemoryPool.Shared.BytesInUse);
    }

    private static void OnAll(Action<int> work) =>
        Task.WaitAll([.. Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(() => work(thread), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))]);

    /// <summary>What other tests left to the collector is not to come back in the middle of one of these.</summary>
    private static void Collect()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
