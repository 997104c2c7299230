using LoRA2.Native.Data;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Embeddings;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Inference;

public sealed class TextEmbedderTests : IDisposable
{
    private static readonly string[] Texts = ["a good film", "", "bad", "good film a bad film a good good one", "film", " a  good film\u001c"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AVectorDoesNotHangOnItsBatch()
    {
        using TextEmbedder embedder = TextEmbedder.Load(SentenceModel.Write(folder));
        IReadOnlyList<TextVector> together = embedder.Embed(Texts, batchSize: 4);
        foreach ((string text, TextVector vector) in Texts.Zip(together))
        {
            TextVector alone = embedder.Embed(text);
            Assert.Equal((alone.Tokens, alone.IsCut), (vector.Tokens, vector.IsCut));
            Assert.Equal(1, Math.Sqrt(vector.Values.Sum(value => (double)value * value)), 1e-6);
            foreach ((float one, float other) in alone.Values.Zip(vector.Values)) Assert.Equal(one, other, 1e-6);
        }

        Assert.Equal([5, 2, 3, 6, 3, 5], together.Select(vector => vector.Tokens));
        Assert.Equal([3], Enumerable.Range(0, Texts.Length).Where(i => together[i].IsCut));
        Assert.Equal(together[0].Values, together[5].Values);
        Assert.Empty(embedder.Embed([]));
    }

    [Fact]
    public void PromptsStandBeforeQueriesAndDocuments()
    {
        using TextEmbedder embedder = TextEmbedder.Load(SentenceModel.Write(folder));
        float[] Plain(string text) => embedder.Embed(text).Values;
        Assert.Equal(Plain("a good film"), embedder.EmbedQueries(["good film"])[0].Values);
        Assert.Equal(Plain("film good"), embedder.EmbedDocuments(["good"])[0].Values);
        Assert.Equal(Plain("bad good"), embedder.Embed(["good"], "bad ")[0].Values);
        using var second = new TemporaryFolder();
        using TextEmbedder other = TextEmbedder.Load(SentenceModel.Write(second, ("config_sentence_transformers.json", """{"prompts": {"usual": "bad "}, "default_prompt_name": "usual"}""")));
        Assert.Equal(Plain("bad good"), other.Embed("good").Values);
        Assert.Equal(Plain("good"), other.Embed(["good"], "")[0].Values);
    }

    [Fact]
    public void OptionsStandAboveTheFolder()
    {
        string path = SentenceModel.Write(folder);
        using TextEmbedder plain = TextEmbedder.Load(path, options: new EmbedderOptions { Normalises = false, MaxLength = 64 });
        using TextEmbedder cut = TextEmbedder.Load(path, options: new EmbedderOptions { Dimensions = 5, MaxLength = 64 });
        TextVector whole = plain.Embed(Texts[3]), first = cut.Embed(Texts[3]);
        Assert.Equal((11, false, 16, 5), (whole.Tokens, whole.IsCut, plain.Dimensions, first.Values.Length));
        double length = Math.Sqrt(whole.Values.Take(5).Sum(value => (double)value * value));
        foreach ((float one, float other) in whole.Values.Zip(first.Values)) Assert.Equal(one / length, other, 1e-6);
        Assert.Contains("1 to 16 can be", Assert.Throws<InputException>(() => TextEmbedder.Load(path, options: new EmbedderOptions { Dimensions = 17 })).Message, StringComparison.Ordinal);
        Assert.Contains("the model has", Assert.Throws<InputException>(() => TextEmbedder.Load(path, options: new EmbedderOptions { MaxLength = 10000 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnAdapterOfAClassifierLeavesItsHeadBehind()
    {
        string adapter = Path.Combine(SentenceModel.Tiny, "..", "a");
        using TextEmbedder with = TextEmbedder.Load(SentenceModel.Tiny, adapter), without = TextEmbedder.Load(SentenceModel.Tiny);
        Assert.NotNull(with.Adapter);
        Assert.NotEqual(without.Embed("good").Values, with.Embed("good").Values);
    }

    [Fact]
    public void RetrievalIsScoredAmongAllDifferentTexts()
    {
        Example[] examples =
        [
            new("good film", "a good film") { Negatives = ["bad"] },
            new("bad film", "one bad film") { Negatives = ["a good film"] },
            new("one", "one one") { Negatives = ["bad one"] },
            new("a film", "film") { Negatives = ["good good"] },
        ];
        using TextEmbedder embedder = TextEmbedder.Load(SentenceModel.Write(folder, ("config_sentence_transformers.json", null)));
        string[] corpus = [.. examples.SelectMany(example => (string[])[example.Pair!, example.Negatives[0]]).Distinct()];
        double[] places = [.. examples.Select(example =>
        {
            double[] scores = [.. corpus.Select(text => Cosine(embedder, example.Text, text))];
            double own = scores[Array.IndexOf(corpus, example.Pair)];
            return 1.0 + scores.Count(score => score > own);
        })];
        Assert.Contains(places, place => place > 1);
        Evaluation found = embedder.Evaluate(new Dataset("pairs", examples, null), batchSize: 3);
        Predictions expected = Predictions.OfScores(places, [1, 1, 1, 1]);
        Assert.Equal(
            ((Metric[])[Metric.ReciprocalRank, Metric.DiscountedGain, Metric.RecallAt1, Metric.RecallAt10]).Select(metric => new MetricValue(metric.Name, metric.Compute(expected))),
            found.Values);
    }

    [Fact]
    public void ScoredPairsAreScoredByTheCorrelationOfTheirCosines()
    {
        Example[] examples = [new("good film", "a good film", 4), new("bad film", "one", 1), new("one", "one one", 5), new("a film", "bad", 0)];
        using TextEmbedder embedder = TextEmbedder.Load(SentenceModel.Write(folder));
        double[] cosines = [.. examples.Select(example => Cosine(embedder, example.Text, example.Pair!))];
        Evaluation found = embedder.Evaluate(new Dataset("pairs", examples, null));
        Assert.Equal(["spearman", "pearson"], found.Values.Select(value => value.Name));
        Assert.Equal(Metric.Spearman.Compute(Predictions.OfScores(cosines, [4, 1, 5, 0])), found.Values[0].Value, 1e-9);
        Assert.Equal(Metric.Pearson.Compute(Predictions.OfScores(cosines, [4, 1, 5, 0])), found.Values[1].Value, 1e-5);
    }

    [Fact]
    public void CancellationStopsIt()
    {
        using TextEmbedder embedder = TextEmbedder.Load(SentenceModel.Tiny);
        Assert.Throws<OperationCanceledException>(() => embedder.Embed(Texts, cancellation: new CancellationToken(canceled: true)));
    }

    private static double Cosine(TextEmbedder embedder, string one, string other) =>
        embedder.Embed(one).Values.Zip(embedder.Embed(other).Values, (a, b) => (double)a * b).Sum();

    [Fact]
    public async Task DisposeDuringEmbedEndsInAnAnswerOrAnException()
    {
        const int Threads = 4;
        float[][] right;
        using (TextEmbedder embedder = TextEmbedder.Load(SentenceModel.Tiny)) right = [.. embedder.Embed(Texts, batchSize: 2).Select(vector => vector.Values)];
        for (int round = 0; round < 10; round++)
        {
            TextEmbedder embedder = TextEmbedder.Load(SentenceModel.Tiny);
            int answers = 0;
            Task[] askers = [.. Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    try
                    {
                        while (true)
                        {
                            Assert.Equal(right, embedder.Embed(Texts, batchSize: 2).Select(vector => vector.Values));
                            Interlocked.Increment(ref answers);
                        }
                    }
                    catch (ObjectDisposedException)
                    {
                    }
                },
                TaskCreationOptions.LongRunning))];
            SpinWait.SpinUntil(() => Volatile.Read(ref answers) > round);
            embedder.Dispose();
            await Task.WhenAll(askers);
            Assert.Throws<ObjectDisposedException>(() => embedder.Embed("good"));
            embedder.Dispose();
        }
    }
}
