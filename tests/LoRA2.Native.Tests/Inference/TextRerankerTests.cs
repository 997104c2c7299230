using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Embeddings;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Inference;

public sealed class TextRerankerTests : IDisposable
{
    private static readonly string[] Texts = ["a film", "bad", "good good film", "", "one a bad film"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void TheOrderIsThatOfTheClassifiersAnswers(int labels)
    {
        using TextReranker reranker = TextReranker.Load(Model(labels));
        double[] scores = [.. reranker.Classifier.Predict([.. Texts.Select(text => new Example("good", text))]).Select(answer => labels == 1 ? answer.Score : answer.Probabilities![1])];
        IReadOnlyList<RankedText> ranked = reranker.Rank("good", Texts);
        Assert.Equal(Enumerable.Range(0, Texts.Length).OrderByDescending(i => scores[i]), ranked.Select(text => text.Index));
        Assert.All(ranked, text => Assert.Equal(scores[text.Index], text.Score));
        Assert.Equal(ranked.Take(2), reranker.Rank("good", Texts, 2));
        Assert.Empty(reranker.Rank("good", []));
        Assert.Throws<OperationCanceledException>(() => reranker.Rank("good", Texts, cancellation: new CancellationToken(canceled: true)));
    }

    [Fact]
    public void AModelOfThreeClassesIsNoReranker() =>
        Assert.Contains("the model has 3 outputs (one label a text); a reranker has one", Assert.Throws<InputException>(() => TextReranker.Load(Model(3))).Message, StringComparison.Ordinal);

    private string Model(int labels)
    {
        string path = folder.File($"{labels}");
        Directory.CreateDirectory(path);
        using SequenceClassifier model = SequenceClassifier.Create(EncoderConfigReader.FromFolder(SentenceModel.Tiny) with { Labels = labels, LabelNames = null, InitializerRange = 0.5 }, 3);
        ModelFolder.Save(model, SentenceModel.Tiny, path);
        return path;
    }
}
