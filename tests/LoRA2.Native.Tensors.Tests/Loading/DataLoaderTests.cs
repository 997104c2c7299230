using FsCheck.Xunit;
using LoRA2.Native.Tensors.Loading;

namespace LoRA2.Native.Tensors.Tests.Loading;

public class DataLoaderTests
{
    [Property(MaxTest = 60)]
    public void EveryExampleComesOnceInTheSameOrderForAnyNumberOfWorkers(byte count, byte size, ulong seed, bool shuffle, bool dropLast)
    {
        int[] data = [.. Enumerable.Range(0, count)];
        var options = new DataLoaderOptions { BatchSize = 1 + (size % 20), Shuffle = shuffle, Seed = seed, DropLast = dropLast };
        int[][] alone = Batches(data, options, 3);
        Assert.All(alone[..^(dropLast || alone.Length == 0 ? 0 : 1)], batch => Assert.Equal(options.BatchSize, batch.Length));
        int[] seen = [.. alone.SelectMany(batch => batch)];
        Assert.Equal(dropLast ? count / options.BatchSize * options.BatchSize : count, seen.Length);
        Assert.Equal(seen.Length, seen.Distinct().Count());
        if (!shuffle) Assert.Equal(data[..seen.Length], seen);
        Assert.Equal(alone, Batches(data, options with { Workers = 1, Prefetch = 1 }, 3));
        Assert.Equal(alone, Batches(data, options with { Workers = 3 }, 3));
    }

    [Fact]
    public void OneBatchMayBeAsLargeAsItLikes()
    {
        var loader = new DataLoader<int, int>([1, 2, 3], batch => batch.Count, new DataLoaderOptions { BatchSize = int.MaxValue });
        Assert.Equal(1, loader.Count);
        Assert.Equal([3], loader);
    }

    [Fact]
    public void LoopsAreEpochsOneAfterTheOther()
    {
        var loader = new DataLoader<int, int[]>([.. Enumerable.Range(0, 50)], batch => [.. batch], new DataLoaderOptions { BatchSize = 50, Shuffle = true, Seed = 4, Workers = 2 });
        int[] first = loader.Single(), second = loader.Single();
        Assert.NotEqual(first, second);
        Assert.Equal([first, second], new[] { 0, 1 }.Select(epoch => loader.Epoch(epoch).Single()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void RandomNumbersBelongToABatchOfAnEpoch(int workers)
    {
        var loader = new DataLoader<int, double>([1, 2, 3, 4], (_, random) => random.DoubleAt(0), new DataLoaderOptions { Seed = 9, Workers = workers });
        double[] first = [.. loader.Epoch(0)], second = [.. loader.Epoch(1)];
        Assert.Equal(8, first.Concat(second).Distinct().Count());
        Assert.Equal(first, new DataLoader<int, double>([1, 2, 3, 4], (_, random) => random.DoubleAt(0), new DataLoaderOptions { Seed = 9 }).ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void ABatchIsFreedWhenTheNextIsAskedForAndWhenTheLoopIsLeft(int workers)
    {
        var made = new System.Collections.Concurrent.ConcurrentQueue<Tensor>();
        var loader = new DataLoader<int, (Tensor X, int Y)>(
            [.. Enumerable.Range(0, 10)],
            batch =>
            {
                Tensor tensor = Collate.Stack(batch, i => (float)i);
                made.Enqueue(tensor);
                return (tensor, batch[0]);
            },
            new DataLoaderOptions { BatchSize = 2, Workers = workers });
        Tensor? last = null;
        foreach ((Tensor x, int y) in loader)
        {
            if (last is not null) Assert.Throws<ObjectDisposedException>(() => last.ToArray<float>());
            Assert.Equal([y, y + 1], x.ToArray<float>());
            last = x;
            if (y == 4) break;
        }

        Assert.All(made, tensor => Assert.Throws<ObjectDisposedException>(() => tensor.ToArray<float>()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public void AnExampleThatCannotBeReadFailsAtItsBatch(int workers)
    {
        var loader = new DataLoader<int, int>([1, 2, 0, 4], batch => 12 / batch[0], new DataLoaderOptions { Workers = workers });
        var seen = new List<int>();
        Assert.Throws<DivideByZeroException>(() => { foreach (int value in loader) seen.Add(value); });
        Assert.Equal([12, 6], seen);
    }

    [Fact]
    public void CancellingEndsTheLoopBeforeItsNextBatch()
    {
        using var stop = new CancellationTokenSource();
        var loader = new DataLoader<int, int>([1, 2, 3], batch => batch[0], new DataLoaderOptions { Workers = 2 });
        var seen = new List<int>();
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (int value in loader.Epoch(0, stop.Token))
            {
                seen.Add(value);
                stop.Cancel();
            }
        });
        Assert.Equal([1], seen);
    }

    [Fact]
    public void ASamplerGivesTheOrder()
    {
        var loader = new DataLoader<string, string>(["a", "b", "c"], batch => string.Concat(batch), new DataLoaderOptions { BatchSize = 2, Sampler = epoch => epoch == 0 ? [2, 2, 0] : [] });
        Assert.Equal(["cc", "a"], loader);
        Assert.Empty(loader);
        Assert.Throws<ArgumentException>(() => new DataLoader<int, int>([], batch => 0, new DataLoaderOptions { Shuffle = true, Sampler = _ => [] }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DataLoader<int, int>([], batch => 0, new DataLoaderOptions { BatchSize = 0 }));
    }

    [Fact]
    public void CollationStacksAndPads()
    {
        int[][] rows = [[1, 2, 3], [], [4]];
        (Tensor values, Tensor mask) = Collate.Pad(rows, -1);
        Assert.Equal([1, 2, 3, -1, -1, -1, 4, -1, -1], values.ToArray<int>());
        Assert.Equal([true, true, true, false, false, false, true, false, false], mask.ToArray<bool>());
        Assert.Equal(new Shape(2, 1), Collate.Pad<long>([[], []], 0).Values.Shape);
        Assert.Equal(new Shape(2, 2, 1), Collate.Stack<float[], float>([[1, 2], [3, 4]], row => row, [2, 1]).Shape);
        Assert.Contains("example 1", Assert.Throws<ArgumentException>(() => Collate.Stack<float[], float>([[1, 2], [3]], row => row, [2])).Message, StringComparison.Ordinal);
    }

    private static int[][] Batches(int[] data, DataLoaderOptions options, int epoch) => [.. new DataLoader<int, int[]>(data, batch => [.. batch], options).Epoch(epoch)];
}
