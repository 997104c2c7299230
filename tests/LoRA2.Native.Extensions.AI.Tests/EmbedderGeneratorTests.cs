using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Embeddings;
using LoRA2.Native.Tests.Shared;
using Microsoft.Extensions.AI;

namespace LoRA2.Native.Extensions.AI.Tests;

public sealed class EmbedderGeneratorTests : IDisposable
{
    private static readonly string[] Texts = ["a good film", "good film a bad film a good good one", "bad"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task VectorsAndUsageAreTheEmbedders()
    {
        using TextEmbedder embedder = TextEmbedder.Load(SentenceModel.Write(folder));
        using IEmbeddingGenerator<string, Embedding<float>> generator = embedder.AsEmbeddingGenerator("tiny");
        IReadOnlyList<TextVector> expected = embedder.Embed(Texts);
        GeneratedEmbeddings<Embedding<float>> found = await generator.GenerateAsync(Texts);
        Assert.Equal(expected.Select(vector => vector.Values), found.Select(embedding => embedding.Vector.ToArray()));
        Assert.Equal(expected.Sum(vector => vector.Tokens), found.Usage!.InputTokenCount);
        Assert.Equal([false, true, false], found.Select(embedding => (bool)embedding.AdditionalProperties![EmbedderGenerator.CutProperty]!));
        Assert.All(found, embedding => Assert.Equal(("tiny", 16), (embedding.ModelId, embedding.Dimensions)));
        Assert.Equal(expected[2].Values, (await generator.GenerateVectorAsync("bad")).ToArray());
        Assert.Empty(await generator.GenerateAsync([]));
    }

    [Fact]
    public async Task OptionsAreHeededOrRefused()
    {
        using TextEmbedder embedder = TextEmbedder.Load(SentenceModel.Write(folder));
        using IEmbeddingGenerator<string, Embedding<float>> generator = embedder.AsEmbeddingGenerator("tiny");
        float[] cut = (await generator.GenerateVectorAsync("bad", new EmbeddingGenerationOptions { Dimensions = 5 })).ToArray();
        Assert.Equal(5, cut.Length);
        Assert.Equal(1, Math.Sqrt(cut.Sum(value => (double)value * value)), 1e-6);
        float[] asked = (await generator.GenerateVectorAsync("good film", new EmbeddingGenerationOptions { AdditionalProperties = new() { [EmbedderGenerator.PromptNameProperty] = "query" } })).ToArray();
        Assert.Equal(embedder.EmbedQueries(["good film"])[0].Values, asked);
        foreach (EmbeddingGenerationOptions wrong in (EmbeddingGenerationOptions[])[
            new() { Dimensions = 17 }, new() { ModelId = "another" }, new() { AdditionalProperties = new() { [EmbedderGenerator.PromptNameProperty] = "none" } }])
        {
            await Assert.ThrowsAsync<ArgumentException>(() => generator.GenerateAsync(Texts, wrong));
        }
    }

    [Fact]
    public async Task ServicesCancellationAndEndAreAsTheInterfaceHasThem()
    {
        TextEmbedder embedder = TextEmbedder.Load(SentenceModel.Write(folder));
        IEmbeddingGenerator<string, Embedding<float>> generator = embedder.AsEmbeddingGenerator("tiny");
        Assert.Same(embedder, generator.GetService<TextEmbedder>());
        EmbeddingGeneratorMetadata metadata = generator.GetRequiredService<EmbeddingGeneratorMetadata>();
        Assert.Equal(("lora2", "tiny", 16), (metadata.ProviderName, metadata.DefaultModelId, metadata.DefaultModelDimensions));
        Assert.Same(generator, generator.GetService<IEmbeddingGenerator>());
        Assert.Null(generator.GetService<string>());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(Texts, cancellationToken: new CancellationToken(canceled: true)));
        GeneratedEmbeddings<Embedding<float>>[] together = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => generator.GenerateAsync(Texts)));
        Assert.All(together, one => Assert.Equal(together[0].Select(embedding => embedding.Vector.ToArray()), one.Select(embedding => embedding.Vector.ToArray())));
        generator.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(Texts));
    }

    [Fact]
    public void AGeneratorThatDoesNotOwnItsEmbedderLeavesIt()
    {
        using TextEmbedder embedder = TextEmbedder.Load(SentenceModel.Tiny);
        new EmbedderGenerator(embedder, ownsEmbedder: false).Dispose();
        Assert.Equal(16, embedder.Embed("good").Values.Length);
    }
}
