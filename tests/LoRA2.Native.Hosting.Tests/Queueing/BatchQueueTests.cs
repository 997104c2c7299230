using System.Collections.Concurrent;
using LoRA2.Native.Hosting.Queueing;

namespace LoRA2.Native.Hosting.Tests.Queueing;

public sealed class BatchQueueTests
{
    private static readonly BatchLimits Usual = new(BatchTokens: 64, BatchItems: 8, QueuedItems: 100, Workers: 1);

    [Fact]
    public async Task EveryItemIsComputedOnceInBatchesWithinTheBudget()
    {
        var batches = new ConcurrentBag<int[]>();
        await using var queue = new BatchQueue<Item>(Usual, (items, _) =>
        {
            batches.Add([.. items.Select(item => item.Tokens)]);
            foreach (Item item in items) item.Answers++;
        });
        Item[] items = [.. Enumerable.Range(0, 90).Select(i => new Item(1 + (i * 7 % 40)))];
        await queue.RunAsync(items, Timeout.InfiniteTimeSpan, default);
        Assert.All(items, item => Assert.Equal(1, item.Answers));
        Assert.All(batches, batch => Assert.True(batch.Length == 1 || (batch.Length <= 8 && batch.Max() * batch.Length <= 64), string.Join(' ', batch)));
        Assert.All(batches, batch => Assert.True(batch.Max() * batch.Length <= 1.125 * batch.Sum(), "more padding than a ninth: " + string.Join(' ', batch)));
        Assert.Equal((0, 0), queue.Waiting);
    }

    [Fact]
    public async Task WhatHasNoRoomIsRefusedAndSaysWhenToComeBack()
    {
        using var gate = new ManualResetEventSlim();
        await using var queue = new BatchQueue<Item>(Usual with { QueuedItems = 3 }, (_, _) => gate.Wait(CancellationToken.None));
        Task first = queue.RunAsync([new Item(1)], Timeout.InfiniteTimeSpan, default);
        await Until(() => queue.Waiting.Items == 0);
        Task waiting = queue.RunAsync([new Item(1), new Item(1), new Item(1)], Timeout.InfiniteTimeSpan, default);
        QueueFullException full = await Assert.ThrowsAsync<QueueFullException>(() => queue.RunAsync([new Item(1)], Timeout.InfiniteTimeSpan, default));
        Assert.InRange(full.RetryAfter, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        gate.Set();
        await Task.WhenAll(first, waiting);
    }

    [Fact]
    public async Task ACallThatIsCancelledWhileItWaitsIsNotComputed()
    {
        using var gate = new ManualResetEventSlim();
        await using var queue = new BatchQueue<Item>(Usual, (items, _) =>
        {
            gate.Wait(CancellationToken.None);
            foreach (Item item in items) item.Answers++;
        });
        Task first = queue.RunAsync([new Item(1)], Timeout.InfiniteTimeSpan, default);
        await Until(() => queue.Waiting.Items == 0);
        using var cancel = new CancellationTokenSource();
        var unwanted = new Item(1);
        Task call = queue.RunAsync([unwanted, new Item(1)], Timeout.InfiniteTimeSpan, cancel.Token);
        Assert.Equal(2, queue.Waiting.Items);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal((0, 0), queue.Waiting);
        gate.Set();
        await first;
        Assert.Equal(0, unwanted.Answers);
    }

    [Fact]
    public async Task ACallThatIsCancelledInABatchEndsAtOnceAndTheOthersAreAnswered()
    {
        using SemaphoreSlim begun = new(0), released = new(0);
        CancellationToken seen = default;
        int items = 0;
        await using var queue = new BatchQueue<Item>(Usual, (batch, cancellation) =>
        {
            (seen, items) = (cancellation, batch.Count);
            begun.Release();
            released.Wait(CancellationToken.None);
        });
        Task blocker = queue.RunAsync([new Item(1)], Timeout.InfiniteTimeSpan, default);
        await begun.WaitAsync();
        using var cancel = new CancellationTokenSource();
        Task one = queue.RunAsync([new Item(1)], Timeout.InfiniteTimeSpan, cancel.Token), other = queue.RunAsync([new Item(1)], Timeout.InfiniteTimeSpan, default);
        released.Release();
        await blocker;
        await begun.WaitAsync();
        Assert.Equal(2, items);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
        Assert.False(seen.IsCancellationRequested, "somebody still waits for the batch");
        released.Release();
        await other;
    }

    [Fact]
    public async Task ABatchThatNobodyWaitsForIsCancelled()
    {
        using var begun = new ManualResetEventSlim();
        bool stopped = false;
        var queue = new BatchQueue<Item>(Usual, (_, cancellation) =>
        {
            begun.Set();
            stopped = cancellation.WaitHandle.WaitOne(TimeSpan.FromSeconds(20));
            cancellation.ThrowIfCancellationRequested();
        });
        using var cancel = new CancellationTokenSource();
        Task call = queue.RunAsync([new Item(1)], Timeout.InfiniteTimeSpan, cancel.Token);
        begun.Wait();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await queue.DisposeAsync();
        Assert.True(stopped);
    }

    [Fact]
    public async Task ADeadlineEndsACall()
    {
        using var gate = new ManualResetEventSlim();
        await using var queue = new BatchQueue<Item>(Usual, (_, _) => gate.Wait(CancellationToken.None));
        await Assert.ThrowsAsync<TimeoutException>(() => queue.RunAsync([new Item(1)], TimeSpan.FromMilliseconds(20), default));
        await Assert.ThrowsAsync<TimeoutException>(() => queue.RunAsync([new Item(1)], TimeSpan.FromMilliseconds(20), default));
        Assert.Equal(0, queue.Waiting.Items);
        gate.Set();
    }

    [Fact]
    public async Task OnlyWhatCannotBeComputedFails()
    {
        using var gate = new ManualResetEventSlim();
        await using var queue = new BatchQueue<Item>(Usual, (items, _) =>
        {
            gate.Wait(CancellationToken.None);
            if (items.Any(item => item.IsBad)) throw new InvalidDataException("bad");
            foreach (Item item in items) item.Answers++;
        });
        Item[] items = [.. Enumerable.Range(0, 20).Select(i => new Item(2) { IsBad = i is 3 or 11 })];
        Task[] calls = [.. items.Select(item => queue.RunAsync([item], Timeout.InfiniteTimeSpan, default))];
        gate.Set();
        for (int i = 0; i < items.Length; i++)
        {
            if (items[i].IsBad) await Assert.ThrowsAsync<InvalidDataException>(() => calls[i]);
            else await calls[i];
            Assert.Equal(items[i].IsBad ? 0 : 1, items[i].Answers);
        }
    }

    [Fact]
    public async Task DisposalAnswersWhatWasTakenAndRefusesTheRest()
    {
        var queue = new BatchQueue<Item>(Usual with { Workers = 2 }, (items, _) =>
        {
            Thread.Sleep(2);
            foreach (Item item in items) item.Answers++;
        });
        Item[] items = [.. Enumerable.Range(0, 100).Select(_ => new Item(5))];
        Task call = queue.RunAsync(items, Timeout.InfiniteTimeSpan, default);
        Task end = queue.DisposeAsync().AsTask();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => queue.RunAsync([new Item(1)], Timeout.InfiniteTimeSpan, default));
        await end;
        Assert.All(items, item => Assert.Equal(1, item.Answers));
        await call;
        await queue.DisposeAsync();
    }

    [Fact]
    public async Task NothingIsLostUnderCancellationsDeadlinesAndFailures()
    {
        var queue = new BatchQueue<Item>(Usual with { Workers = 3, QueuedItems = 40 }, (items, _) =>
        {
            if (items.Any(item => item.IsBad)) throw new InvalidDataException("bad");
            foreach (Item item in items) item.Answers++;
        });
        int done = 0, cancelled = 0, late = 0, full = 0, failed = 0;
        var all = new ConcurrentBag<Item>();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(caller => Task.Run(async () =>
        {
            var random = new Random(caller);
            for (int i = 0; i < 200; i++)
            {
                Item[] items = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => new Item(random.Next(1, 30)) { IsBad = random.Next(50) == 0 })];
                foreach (Item item in items) all.Add(item);
                using var cancel = new CancellationTokenSource();
                Task call = queue.RunAsync(items, random.Next(5) == 0 ? TimeSpan.FromMilliseconds(1) : Timeout.InfiniteTimeSpan, cancel.Token);
                if (random.Next(4) == 0) await cancel.CancelAsync();
                try
                {
                    await call.WaitAsync(TimeSpan.FromSeconds(20));
                    Assert.All(items, item => Assert.Equal(1, item.Answers));
                    Interlocked.Increment(ref done);
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref cancelled);
                }
                catch (TimeoutException e) when (e.Message.StartsWith("no answer", StringComparison.Ordinal))
                {
                    Interlocked.Increment(ref late);
                }
                catch (QueueFullException)
                {
                    Interlocked.Increment(ref full);
                }
                catch (InvalidDataException)
                {
                    Assert.Contains(items, item => item.IsBad);
                    Interlocked.Increment(ref failed);
                }
            }
        })));
        Assert.Equal(16 * 200, done + cancelled + late + full + failed);
        Assert.True(done > 0 && cancelled > 0 && failed > 0);
        Assert.Equal((0, 0), queue.Waiting);
        await queue.DisposeAsync();
        Assert.All(all, item => Assert.False(item.IsInside));
    }

    [Fact]
    public async Task AnItemWithAFaultFailsAloneAndInOnePass()
    {
        using SemaphoreSlim begun = new(0), released = new(0);
        int passes = 0;
        await using var queue = new BatchQueue<Item>(Usual, (items, _) =>
        {
            passes++;
            begun.Release();
            released.Wait(CancellationToken.None);
            foreach (Item item in items)
            {
                if (item.IsBad) item.Fault = new ArithmeticException();
                else item.Answers++;
            }
        });
        Task blocker = queue.RunAsync([new Item(1)], Timeout.InfiniteTimeSpan, default);
        await begun.WaitAsync();
        Item[] good = [new Item(1), new Item(1), new Item(1)];
        Task[] calls = [.. good.Select(item => queue.RunAsync([item], Timeout.InfiniteTimeSpan, default))];
        Task bad = queue.RunAsync([new Item(1) { IsBad = true }], Timeout.InfiniteTimeSpan, default);
        released.Release(2);
        await Assert.ThrowsAsync<ArithmeticException>(() => bad);
        await Task.WhenAll([blocker, .. calls]);
        Assert.Equal(2, passes);
        Assert.All(good, item => Assert.Equal(1, item.Answers));
    }

    [Fact]
    public async Task ADeadlineMayBeLongerThanATimerWaits()
    {
        await using var queue = new BatchQueue<Item>(Usual, (items, _) =>
        {
            foreach (Item item in items) item.Answers++;
        });
        var answered = new Item(1);
        await queue.RunAsync([answered], TimeSpan.FromDays(50), default);
        await queue.RunAsync([new Item(1)], TimeSpan.MaxValue, default);
        Assert.Equal(1, answered.Answers);
        var refused = new Item(1);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => queue.RunAsync([refused], TimeSpan.FromSeconds(-2), default));
        await queue.DisposeAsync();
        Assert.Equal(0, refused.Answers);
    }

    private static async Task Until(Func<bool> condition)
    {
        for (int i = 0; i < 2000 && !condition(); i++) await Task.Delay(5);
        Assert.True(condition());
    }

    private sealed class Item(int tokens) : IQueuedItem
    {
        private int inside;

        public int Tokens { get; } = tokens;

        public bool IsBad { get; init; }

        public int Answers { get; set; }

        public Exception? Fault { get; set; }

        public bool IsInside => Volatile.Read(ref inside) != 0;

        public void Enter() => Assert.Equal(1, Interlocked.Increment(ref inside));

        public void Leave() => Assert.Equal(0, Interlocked.Decrement(ref inside));
    }
}
