using LoRA2.Native.Inference;

namespace LoRA2.Native.Tests.Inference;

/// <summary>
/// Adapters that are replaced, removed or put out of memory, and a host that is disposed of, while others ask. LORA2_STRESS_ROUNDS and LORA2_STRESS_MODEL as of <see cref="ThreadsTests"/>.
/// </summary>
public sealed class AdapterHostThreadsTests : IDisposable
{
    private const int Callers = 16;
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("LORA2_STRESS_ROUNDS"), out int rounds) ? rounds : 100;
    private static readonly string[] Texts = ["a good film", "a bad film", "good good good", "film a one film bad"];

    private readonly StressedModel stressed = new();

    public void Dispose() => stressed.Dispose();

    /// <summary>Each call has two adapters in its batches, of which one is swapped all the time: its answers are the bits of one version and of the other adapter.</summary>
    [Fact]
    public async Task ASwapUnderLoadGivesEachCallOneVersionWhole()
    {
        using AdapterHost host = AdapterHost.Load(stressed.Base);
        host.Put("fixed", stressed.Adapters[1]);
        double[][][] right = new double[2][][];
        for (int i = 0; i < 2; i++)
        {
            host.Put("swapped", stressed.Adapters[i]);
            right[i] = Answers(host);
        }

        Assert.NotEqual(right[0], right[1]);
        using var stop = new CancellationTokenSource();
        int[] seen = new int[2];
        Task[] callers = Start(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                double[][] found = Answers(host);
                int version = Same(found, right[0]) ? 0 : Same(found, right[1]) ? 1 : throw new InvalidOperationException("the answers belong to neither version");
                Interlocked.Increment(ref seen[version]);
            }
        });
        for (int round = 0; round < Rounds; round++)
        {
            host.Put("swapped", stressed.Adapters[round % 2]);
            int before = Volatile.Read(ref seen[0]) + Volatile.Read(ref seen[1]);
            SpinWait.SpinUntil(() => Volatile.Read(ref seen[0]) + Volatile.Read(ref seen[1]) > before || callers.Any(caller => caller.IsFaulted));
        }

        stop.Cancel();
        await Task.WhenAll(callers);
        Assert.All(seen, count => Assert.True(count > 0));
    }

    /// <summary>One place in memory for three adapters: every call puts another's out of it.</summary>
    [Fact]
    public async Task AdaptersThatComeAndGoAnswerWithTheirOwnBits()
    {
        using AdapterHost host = AdapterHost.Load(stressed.Base, options: new AdapterHostOptions { MaxResident = 1 });
        string[] names = ["a", "b", "c"];
        for (int i = 0; i < names.Length; i++) host.Put(names[i], stressed.Adapters[i % 2]);
        double[][] right = [.. names.Select(name => host.Predict(name, Texts[0]).Probabilities!.ToArray())];
        int turn = 0, removed = 0;
        Task[] callers = Start(() =>
        {
            // And until somebody has found one removed, however fast the others are.
            for (int i = 0; i < Math.Max(Rounds / 10, 5) || Volatile.Read(ref removed) == 0; i++)
            {
                int which = Interlocked.Increment(ref turn) % names.Length;
                AdapterAnswer answer = host.Answer([new(names[which], Texts[0])])[0];
                if (answer.Error is { } error && which == 2) Interlocked.Increment(ref removed);
                else Assert.Equal(right[which], answer.Prediction!.Probabilities);
            }
        });
        host.Remove("c");
        await Task.WhenAll(callers);
        Assert.True(removed > 0);
        Assert.Equal(["a", "b"], host.Adapters.Select(adapter => adapter.Name));
    }

    [Fact]
    public async Task DisposeUnderLoadEndsInAnAnswerOrAnException()
    {
        double[][] right;
        using (AdapterHost host = Loaded()) right = Answers(host);
        for (int round = 0; round < Math.Max(Rounds / 10, 1); round++)
        {
            AdapterHost host = Loaded();
            int answers = 0;
            Task[] callers = Start(() =>
            {
                try
                {
                    while (true)
                    {
                        Assert.Equal(right, Answers(host));
                        Interlocked.Increment(ref answers);
                    }
                }
                catch (ObjectDisposedException)
                {
                }
            });
            SpinWait.SpinUntil(() => Volatile.Read(ref answers) > round % 10 || callers.Any(caller => caller.IsCompleted));
            host.Dispose();
            await Task.WhenAll(callers);
            Assert.Throws<ObjectDisposedException>(() => host.Predict("swapped", Texts[0]));
            Assert.Throws<ObjectDisposedException>(() => host.Put("swapped", stressed.Adapters[0]));
            Assert.Throws<ObjectDisposedException>(() => host.Remove("swapped"));
            Assert.Empty(host.Adapters);
            host.Dispose();
        }
    }

    /// <summary>A call that is cancelled, at whatever moment, ends with all its answers or with none, and leaves nothing behind.</summary>
    [Fact]
    public async Task ACancelledCallLeavesNothingBehind()
    {
        using AdapterHost host = Loaded();
        double[][] right = Answers(host);
        AdapterRequest[] requests = [.. Enumerable.Range(0, 24).Select(i => new AdapterRequest(i % 2 == 0 ? "fixed" : "swapped", Texts[i % Texts.Length]))];
        IReadOnlyList<Prediction> whole = host.Predict(requests, 1);
        int cancelled = 0;
        for (int round = 0; round < Rounds; round++)
        {
            using var source = new CancellationTokenSource();
            using var begun = new ManualResetEventSlim();
            // A thread of its own, which runs when the call begins: other tests may keep those of the pool for longer than all rounds take.
            Task canceller = Task.Factory.StartNew(
                () =>
                {
                    begun.Set();
                    Thread.SpinWait(1 << (round % 16));
                    source.Cancel();
                },
                TaskCreationOptions.LongRunning);
            begun.Wait();
            try
            {
                Assert.Equal(whole.Select(answer => answer.Score), host.Predict(requests, 1, source.Token).Select(answer => answer.Score));
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }

            await canceller;
        }

        Assert.InRange(cancelled, 1, Rounds);
        Assert.Equal(right, Answers(host));
    }

    private static Task[] Start(Action caller) => [.. Enumerable.Range(0, Callers).Select(_ => Task.Factory.StartNew(caller, TaskCreationOptions.LongRunning))];

    private AdapterHost Loaded()
    {
        AdapterHost host = AdapterHost.Load(stressed.Base);
        host.Put("fixed", stressed.Adapters[1]);
        host.Put("swapped", stressed.Adapters[0]);
        return host;
    }

    private static double[][] Answers(AdapterHost host) =>
        [.. host.Predict([.. Texts.SelectMany(text => (AdapterRequest[])[new("swapped", text), new("fixed", text)])], batchSize: 3).Select(answer => answer.Probabilities!.ToArray())];

    private static bool Same(double[][] one, double[][] other) => one.Zip(other).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
}
