using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Tests.Inference;

/// <summary>
/// A model that is disposed of, or gets another adapter, while others ask it. LORA2_STRESS_ROUNDS sets the number of rounds, LORA2_STRESS_MODEL another model's folder; a
/// released build is tried with 1,000 rounds on all-MiniLM-L6-v2.
/// </summary>
public sealed class ThreadsTests : IDisposable
{
    private const int Threads = 6;
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("LORA2_STRESS_ROUNDS"), out int rounds) ? rounds : 20;
    private static readonly string[] Texts = ["a good film", "a bad film", "good good good", "film a one film bad"];

    private readonly StressedModel stressed = new();

    public void Dispose() => stressed.Dispose();

    [Fact]
    public async Task DisposeDuringPredictEndsInAnAnswerOrAnException()
    {
        double[][] right;
        using (TextClassifier classifier = TextClassifier.Load(stressed.Base, stressed.Adapters[0])) right = Answers(classifier);
        for (int round = 0; round < Rounds; round++)
        {
            TextClassifier classifier = TextClassifier.Load(stressed.Base, stressed.Adapters[0]);
            int answers = 0;
            using var begun = new CountdownEvent(Threads);
            Task[] askers = [.. Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    begun.Signal();
                    try
                    {
                        while (true)
                        {
                            Assert.Equal(right, Answers(classifier));
                            Interlocked.Increment(ref answers);
                        }
                    }
                    catch (ObjectDisposedException)
                    {
                    }
                },
                TaskCreationOptions.LongRunning))];
            begun.Wait();
            SpinWait.SpinUntil(() => Volatile.Read(ref answers) > round % 20);
            classifier.Dispose();
            await Task.WhenAll(askers);
            Assert.Throws<ObjectDisposedException>(() => classifier.Predict(Texts[0]));
            classifier.Dispose();
        }
    }

    [Fact]
    public async Task ASwapOfAdaptersGivesEachCallOneVersionWhole()
    {
        double[][][] right = new double[2][][];
        for (int i = 0; i < 2; i++)
        {
            using TextClassifier alone = TextClassifier.Load(stressed.Base, stressed.Adapters[i]);
            right[i] = Answers(alone);
        }

        Assert.NotEqual(right[0], right[1]);
        using TextClassifier classifier = TextClassifier.Load(stressed.Base, stressed.Adapters[0]);
        using var stop = new CancellationTokenSource();
        int[] seen = new int[2];
        Task[] askers = [.. Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    double[][] found = Answers(classifier);
                    int version = Same(found, right[0]) ? 0 : Same(found, right[1]) ? 1 : throw new InvalidOperationException("the answers belong to neither adapter");
                    Interlocked.Increment(ref seen[version]);
                }
            },
            TaskCreationOptions.LongRunning))];
        for (int round = 0; round < Math.Max(Rounds, 100); round++)
        {
            AdapterFolder.Load(classifier.Model, stressed.Adapters[1 - round % 2]);
            int before = seen[0] + seen[1];
            SpinWait.SpinUntil(() => Volatile.Read(ref seen[0]) + Volatile.Read(ref seen[1]) > before || askers.Any(asker => asker.IsFaulted));
        }

        stop.Cancel();
        await Task.WhenAll(askers);
        Assert.All(seen, count => Assert.True(count > 0));
    }

    private static double[][] Answers(TextClassifier classifier) =>
        [.. classifier.Predict([.. Texts.Select(text => new Example(text))], batchSize: 2).Select(answer => answer.Probabilities!.ToArray())];

    private static bool Same(double[][] one, double[][] other) => one.Zip(other).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
}
