using System.Diagnostics;

namespace LoRA2.Native.Hosting.Queueing;

/// <summary>
/// A bounded queue whose workers compute what waits in batches. No batch waits for more to come: whatever is there when a worker is free makes the next one, so that a lone request
/// is computed at once and many at a time share their passes. The oldest item is always in the next batch, with those after it that cost little padding beside it.
/// </summary>
/// <typeparam name="T">What is computed.</typeparam>
internal sealed class BatchQueue<T> : IDisposable, IAsyncDisposable
    where T : class, IQueuedItem
{
    /// <summary>Items that are looked at to fill a batch: what is far behind may wait.</summary>
    private const int LookAhead = 512;

    /// <summary>Tokens below which a batch is not shared with an idle worker: it would cost more than it saves.</summary>
    private const int LeastShare = 128;

    /// <summary>What a timer can wait for, 49 days; longer than that is for ever.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly object gate = new();
    private readonly LinkedList<Entry> pending = new();
    private readonly BatchLimits limits;
    private readonly Action<IReadOnlyList<T>, CancellationToken> compute;
    private readonly IBatchObserver? observer;
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long pendingTokens;
    private int idle;
    private int living;
    private bool closed;
    private double tokensPerSecond;

    /// <summary>Starts the workers.</summary>
    /// <param name="limits">The limits.</param>
    /// <param name="compute">Computes a batch and leaves each item's answer or fault in it; called by several threads at a time when there are several workers.</param>
    /// <param name="observer">Is told what happens, or null.</param>
    public BatchQueue(BatchLimits limits, Action<IReadOnlyList<T>, CancellationToken> compute, IBatchObserver? observer = null)
    {
        this.limits = limits;
        this.compute = compute;
        this.observer = observer;
        living = limits.Workers;
        for (int i = 0; i < limits.Workers; i++) new Thread(Work) { IsBackground = true, Name = $"LoRA2 batches {i + 1}" }.Start();
    }

    /// <summary>Items that wait, and their tokens.</summary>
    public (int Items, long Tokens) Waiting
    {
        get
        {
            lock (gate) return (pending.Count, pendingTokens);
        }
    }

    /// <summary>Whether nothing is taken any more.</summary>
    public bool IsClosed
    {
        get
        {
            lock (gate) return closed;
        }
    }

    /// <summary>Waits until all items are computed. Either all are taken, or none.</summary>
    /// <param name="items">The items.</param>
    /// <param name="timeout">The longest wait; <see cref="Timeout.InfiniteTimeSpan"/> for none.</param>
    /// <param name="cancellation">Takes the items out of the queue; of a batch that is under way the others are computed on.</param>
    /// <exception cref="ArgumentOutOfRangeException">The wait is below 0 and not infinite.</exception>
    /// <exception cref="QueueFullException">There is no room for them.</exception>
    /// <exception cref="TimeoutException">The time is over.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The queue is closed.</exception>
    public async Task RunAsync(IReadOnlyList<T> items, TimeSpan timeout, CancellationToken cancellation)
    {
        bool isEndless = timeout == Timeout.InfiniteTimeSpan || timeout > LongestTimer;
        if (!isEndless) ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.Zero);
        cancellation.ThrowIfCancellationRequested();
        if (items.Count == 0) return;
        var call = new Call(items.Count);
        Add(call, items);
        using Timer? timer = isEndless
            ? null
            : new Timer(_ => End(call, new TimeoutException($"no answer within {timeout.TotalSeconds:0.###} s: too much is waiting")), null, timeout, Timeout.InfiniteTimeSpan);
        using CancellationTokenRegistration registration = cancellation.UnsafeRegister((_, token) => End(call, new OperationCanceledException(token)), null);
        await call.Done.ConfigureAwait(false);
    }

    /// <summary>Refuses what there would be no room for, before somebody works on it.</summary>
    /// <exception cref="QueueFullException">There is no room for so many.</exception>
    /// <exception cref="ObjectDisposedException">The queue is closed.</exception>
    public void RequireRoom(int items)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            if (pending.Count + items > limits.QueuedItems) throw new QueueFullException(pending.Count, limits.QueuedItems, Room());
        }
    }

    /// <summary>Takes no more, and waits until what was taken is computed.</summary>
    public ValueTask DisposeAsync()
    {
        lock (gate)
        {
            closed = true;
            Monitor.PulseAll(gate);
        }

        return new ValueTask(drained.Task);
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private void Add(Call call, IReadOnlyList<T> items)
    {
        lock (gate)
        {
            RequireRoom(items.Count);
            long now = Stopwatch.GetTimestamp();
            for (int i = 0; i < items.Count; i++)
            {
                var entry = new Entry(call, items[i], Math.Max(1, items[i].Tokens), now);
                entry.Node = pending.AddLast(entry);
                call.Entries[i] = entry;
                entry.Item.Enter();
                pendingTokens += entry.Tokens;
            }

            if (items.Count == 1) Monitor.Pulse(gate);
            else Monitor.PulseAll(gate);
        }
    }

    /// <summary>How long what waits will take.</summary>
    private TimeSpan Room() => TimeSpan.FromSeconds(Math.Clamp(tokensPerSecond > 0 ? pendingTokens / tokensPerSecond : 1, 1, 60));

    /// <summary>Ends a call before all of it is computed.</summary>
    private void End(Call call, Exception reason)
    {
        List<Batch>? abandoned = null;
        List<Entry>? left = null;
        lock (gate)
        {
            if (!call.End(reason)) return;
            foreach (Entry entry in call.Entries)
            {
                if (entry.Node is not null)
                {
                    Remove(entry);
                    (left ??= []).Add(entry);
                }
                else if (entry.Batch is { } batch && batch.Entries.TrueForAll(static other => other.Call.IsOver)) (abandoned ??= []).Add(batch);
            }
        }

        foreach (Entry entry in left ?? []) entry.Item.Leave();
        foreach (Batch batch in (abandoned ?? []).Distinct()) batch.Cancel();
    }

    private void Remove(Entry entry)
    {
        pending.Remove(entry.Node!);
        entry.Node = null;
        pendingTokens -= entry.Tokens;
    }

    private void Work()
    {
        while (Take() is { } batch)
        {
            long start = Stopwatch.GetTimestamp();
            using (batch)
            {
                Run(batch, batch.Entries);
                foreach (Entry entry in batch.Entries) entry.Item.Leave();
            }

            Learn(batch, Stopwatch.GetElapsedTime(start));
        }

        if (Interlocked.Decrement(ref living) == 0) drained.SetResult();
    }

    /// <summary>The next batch; null when there will be none.</summary>
    private Batch? Take()
    {
        var batch = new Batch();
        lock (gate)
        {
            idle++;
            while (pending.Count == 0 && !closed) Monitor.Wait(gate);
            idle--;
            if (pending.Count == 0) return null;
            // What waits is shared with those who have nothing to do.
            long budget = Math.Min(limits.BatchTokens, Math.Max(LeastShare, pendingTokens / (idle + 1)));
            int longest = 0, seen = 0;
            long sum = 0;
            for (LinkedListNode<Entry>? node = pending.First; node is not null && seen < LookAhead && batch.Entries.Count < limits.BatchItems; seen++)
            {
                Entry entry = node.Value;
                node = node.Next;
                int length = Math.Max(longest, entry.Tokens);
                long padded = (long)length * (batch.Entries.Count + 1);
                if (batch.Entries.Count > 0 && (padded > budget || padded * 8 > (sum + entry.Tokens) * 9)) continue;
                Remove(entry);
                entry.Batch = batch;
                batch.Entries.Add(entry);
                longest = length;
                sum += entry.Tokens;
            }

            batch.Padded = (long)longest * batch.Entries.Count;
            if (pending.Count > 0 && idle > 0) Monitor.Pulse(gate);
        }

        long now = Stopwatch.GetTimestamp();
        foreach (Entry entry in batch.Entries) observer?.Waited(Stopwatch.GetElapsedTime(entry.Since, now));
        observer?.Computing(batch.Entries.Count, batch.Padded);
        return batch;
    }

    /// <summary>Computes some of a batch; when that fails each half by itself, so that only what cannot be computed fails.</summary>
    private void Run(Batch batch, List<Entry> entries)
    {
        List<Entry> wanted = entries.FindAll(static entry => !entry.Call.IsOver);
        if (wanted.Count == 0) return;
        try
        {
            compute(wanted.ConvertAll(static entry => entry.Item), batch.Token);
            foreach (Entry entry in wanted)
            {
                if (entry.Item.Fault is { } fault) Fail(entry, fault);
                else entry.Call.Computed();
            }
        }
        catch (OperationCanceledException) when (batch.Token.IsCancellationRequested)
        {
            // Nobody waits for any of it.
        }
        catch (Exception e) when (wanted.Count == 1)
        {
            Fail(wanted[0], e);
        }
        catch (Exception)
        {
            int half = wanted.Count / 2;
            Run(batch, wanted[..half]);
            Run(batch, wanted[half..]);
        }
    }

    private void Fail(Entry entry, Exception reason)
    {
        observer?.Failed(reason);
        End(entry.Call, reason);
    }

    private void Learn(Batch batch, TimeSpan elapsed)
    {
        observer?.Computed(elapsed);
        double rate = batch.Entries.Sum(static entry => entry.Tokens) * limits.Workers / Math.Max(elapsed.TotalSeconds, 1e-6);
        lock (gate) tokensPerSecond = tokensPerSecond == 0 ? rate : (0.9 * tokensPerSecond) + (0.1 * rate);
    }

    private sealed class Entry(Call call, T item, int tokens, long since)
    {
        public Call Call { get; } = call;

        public T Item { get; } = item;

        public int Tokens { get; } = tokens;

        public long Since { get; } = since;

        /// <summary>Its place in the queue; null when it waits no more.</summary>
        public LinkedListNode<Entry>? Node { get; set; }

        public Batch? Batch { get; set; }
    }

    private sealed class Batch : IDisposable
    {
        private readonly CancellationTokenSource abandoned = new();

        public List<Entry> Entries { get; } = [];

        public long Padded { get; set; }

        public CancellationToken Token => abandoned.Token;

        public void Cancel()
        {
            try
            {
                abandoned.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has just been computed.
            }
        }

        public void Dispose() => abandoned.Dispose();
    }

    /// <summary>Items that were asked for together.</summary>
    private sealed class Call(int count)
    {
        private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int left = count;

        public Entry[] Entries { get; } = new Entry[count];

        public Task Done => done.Task;

        public bool IsOver => done.Task.IsCompleted;

        public void Computed()
        {
            if (Interlocked.Decrement(ref left) == 0) done.TrySetResult();
        }

        /// <summary>Whether it was not over yet.</summary>
        public bool End(Exception reason) => reason is OperationCanceledException cancelled ? done.TrySetCanceled(cancelled.CancellationToken) : done.TrySetException(reason);
    }
}
