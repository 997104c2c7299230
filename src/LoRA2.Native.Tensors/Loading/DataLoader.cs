using System.Collections;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Loading;

/// <summary>
/// Cuts data into batches, epoch by epoch. Order and random numbers are a pure function of the seed and the epoch: they do not depend on the number of workers. A batch is the loader's: when the
/// next one is asked for, or the loop is left, its tensors are freed (a tensor, a tuple of tensors, anything disposable); <see cref="Tensor.Clone"/> what has to stay.
/// </summary>
/// <typeparam name="TExample">One example. With workers, the data's indexer is called on several threads at once.</typeparam>
/// <typeparam name="TBatch">What a batch becomes.</typeparam>
/// <example><code>
/// var loader = new DataLoader&lt;Row, (Tensor X, Tensor Y)&gt;(rows, batch => (Collate.Stack(batch, row => row.Pixels, 64), Collate.Stack(batch, row => row.Digit)), new() { BatchSize = 32, Shuffle = true, Seed = 1, Workers = 2 });
/// foreach ((Tensor x, Tensor y) in loader) { … }
/// </code></example>
public sealed class DataLoader<TExample, TBatch> : IEnumerable<TBatch>
{
    private readonly IReadOnlyList<TExample> data;
    private readonly Func<IReadOnlyList<TExample>, Philox, TBatch> collate;
    private int epochs = -1;

    /// <summary>Loads batches of data.</summary>
    /// <param name="data">All examples; read by index, so it may fetch them from a disk.</param>
    /// <param name="collate">Makes a batch of examples.</param>
    /// <param name="options">Sizes, order, workers; by default single examples in their own order.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public DataLoader(IReadOnlyList<TExample> data, Func<IReadOnlyList<TExample>, TBatch> collate, DataLoaderOptions? options = null)
        : this(data, Ignoring(collate), options)
    {
    }

    /// <summary>Loads batches of data whose collation draws random numbers (augmentation): each batch of each epoch gets a stream of its own.</summary>
    /// <inheritdoc cref="DataLoader{TExample, TBatch}(IReadOnlyList{TExample}, Func{IReadOnlyList{TExample}, TBatch}, DataLoaderOptions?)"/>
    public DataLoader(IReadOnlyList<TExample> data, Func<IReadOnlyList<TExample>, Philox, TBatch> collate, DataLoaderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(collate);
        options ??= new DataLoaderOptions();
        options.Require();
        (this.data, this.collate, Options) = (data, collate, options);
    }

    /// <summary>Sizes, order, workers.</summary>
    public DataLoaderOptions Options { get; }

    /// <summary>Batches of an epoch without a sampler.</summary>
    public int Count => BatchesOf(data.Count);

    /// <summary>The batches of one epoch, numbered from 0: the same ones whenever it is asked for.</summary>
    /// <param name="epoch">The epoch's number.</param>
    /// <param name="cancellation">Ends the loop with an <see cref="OperationCanceledException"/> before its next batch.</param>
    public IEnumerable<TBatch> Epoch(int epoch, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        return Batches(epoch, cancellation);
    }

    /// <summary>The next epoch's batches: the first loop over a loader is epoch 0, the second epoch 1.</summary>
    public IEnumerator<TBatch> GetEnumerator() => Batches(Interlocked.Increment(ref epochs), CancellationToken.None).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static Func<IReadOnlyList<TExample>, Philox, TBatch> Ignoring(Func<IReadOnlyList<TExample>, TBatch> collate)
    {
        ArgumentNullException.ThrowIfNull(collate);
        return (examples, _) => collate(examples);
    }

    private int BatchesOf(int examples) => Options.DropLast ? examples / Options.BatchSize : (int)(((long)examples + Options.BatchSize - 1) / Options.BatchSize);

    private IEnumerable<TBatch> Batches(int epoch, CancellationToken cancellation)
    {
        // A key of the epoch's own: stream 0 of it is the order, stream 1 + i belongs to batch i.
        ulong key = new Philox(Options.Seed, 0x6c6f61646572).UInt64At((ulong)epoch);
        IReadOnlyList<int> order = Options.Sampler?.Invoke(epoch) ?? (Options.Shuffle ? new Philox(key).Permutation(data.Count) : [.. Enumerable.Range(0, data.Count)]);
        int size = Options.BatchSize, batches = BatchesOf(order.Count);
        TBatch Make(int batch)
        {
            var examples = new TExample[Math.Min(size, order.Count - (batch * size))];
            for (int i = 0; i < examples.Length; i++) examples[i] = data[order[(batch * size) + i]];
            return collate(examples, new Philox(key, 1 + (ulong)batch));
        }

        return Options.Workers == 0 ? Here(batches, Make, cancellation) : Ahead(batches, Make, cancellation);
    }

    private static IEnumerable<TBatch> Here(int batches, Func<int, TBatch> make, CancellationToken cancellation)
    {
        for (int i = 0; i < batches; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            TBatch batch = make(i);
            try
            {
                yield return batch;
            }
            finally
            {
                Free(batch);
            }
        }
    }

    private IEnumerable<TBatch> Ahead(int batches, Func<int, TBatch> make, CancellationToken cancellation)
    {
        using var workers = new SemaphoreSlim(Options.Workers);
        var ahead = new Queue<Task<TBatch>>();
        async Task<TBatch> Made(int batch)
        {
            await workers.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            try
            {
                return await Task.Run(() => make(batch)).ConfigureAwait(false);
            }
            finally
            {
                workers.Release();
            }
        }

        int begun = 0;
        long most = (long)Options.Workers * Options.Prefetch;
        try
        {
            while (begun < batches || ahead.Count > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                while (begun < batches && ahead.Count < most) ahead.Enqueue(Made(begun++));
                TBatch batch = ahead.Dequeue().GetAwaiter().GetResult();
                try
                {
                    yield return batch;
                }
                finally
                {
                    Free(batch);
                }
            }
        }
        finally
        {
            // What was begun ends before the semaphore does, and nobody will ask for it.
            foreach (Task<TBatch> task in ahead)
            {
                ((IAsyncResult)task).AsyncWaitHandle.WaitOne();
                if (task.IsCompletedSuccessfully) Free(task.Result);
                else _ = task.Exception;
            }
        }
    }

    private static void Free(TBatch batch)
    {
        if (batch is IDisposable one) one.Dispose();
        else if (batch is ITuple many)
        {
            for (int i = 0; i < many.Length; i++) (many[i] as IDisposable)?.Dispose();
        }
    }
}
