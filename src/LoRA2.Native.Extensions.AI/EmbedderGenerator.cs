using LoRA2.Native.Inference;
using Microsoft.Extensions.AI;

namespace LoRA2.Native.Extensions.AI;

/// <summary>A <see cref="TextEmbedder"/> as Microsoft.Extensions.AI's generator of embeddings. Any number of calls may be under way at once.</summary>
public sealed class EmbedderGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    /// <summary>In <see cref="EmbeddingGenerationOptions.AdditionalProperties"/>: the name of the embedder's prompt that is put before each text.</summary>
    public const string PromptNameProperty = "prompt_name";

    /// <summary>In an embedding's additional properties: tokens that the model has seen of the text.</summary>
    public const string TokensProperty = "tokens";

    /// <summary>In an embedding's additional properties: whether the text was longer than the model takes, so that its end was not seen.</summary>
    public const string CutProperty = "cut";

    private readonly TextEmbedder embedder;
    private readonly bool ownsEmbedder;
    private readonly int batchSize;
    private readonly EmbeddingGeneratorMetadata metadata;

    /// <summary>Makes a generator.</summary>
    /// <param name="embedder">What computes the vectors.</param>
    /// <param name="modelId">What the model is called.</param>
    /// <param name="ownsEmbedder">Whether the embedder is disposed of with the generator.</param>
    /// <param name="batchSize">Texts computed together.</param>
    public EmbedderGenerator(TextEmbedder embedder, string? modelId = null, bool ownsEmbedder = true, int batchSize = 32)
    {
        ArgumentNullException.ThrowIfNull(embedder);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        this.embedder = embedder;
        this.ownsEmbedder = ownsEmbedder;
        this.batchSize = batchSize;
        metadata = new EmbeddingGeneratorMetadata("lora2", null, modelId, embedder.Dimensions);
    }

    /// <summary>The vectors of texts, in their order. The work is done on the thread pool.</summary>
    /// <param name="values">The texts.</param>
    /// <param name="options">Dimensions and <see cref="PromptNameProperty"/> are heeded; a model's name must be this one's.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <exception cref="ArgumentException">Another model, an unknown prompt or more dimensions than there are were asked for.</exception>
    /// <exception cref="ObjectDisposedException">The embedder was disposed.</exception>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        string[] texts = [.. values];
        if (options?.ModelId is { } model && metadata.DefaultModelId is { } own && model != own) throw new ArgumentException($"model '{model}' was asked for; this is '{own}'", nameof(options));
        if (options?.Dimensions is { } count && (count < 1 || count > embedder.Dimensions))
            throw new ArgumentException($"{count} dimensions were asked for; 1 to {embedder.Dimensions} can be", nameof(options));
        string? prompt = PromptOf(options);
        return Task.Run(() => Generate(texts, options?.Dimensions ?? embedder.Dimensions, prompt, cancellationToken), cancellationToken);
    }

    /// <summary>The embedder, the generator's metadata, or the generator itself.</summary>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        return serviceType == typeof(EmbeddingGeneratorMetadata) ? metadata : serviceType == typeof(TextEmbedder) ? embedder : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>Disposes of the embedder, when it is the generator's, after the calls that are under way.</summary>
    public void Dispose()
    {
        if (ownsEmbedder) embedder.Dispose();
    }

    private string? PromptOf(EmbeddingGenerationOptions? options)
    {
        if (options?.AdditionalProperties?.TryGetValue(PromptNameProperty, out string? name) != true || name is null) return null;
        return embedder.Settings.Prompts.TryGetValue(name, out string? prompt) ? prompt : throw new ArgumentException($"there is no prompt '{name}'; there are {string.Join(", ", embedder.Settings.Prompts.Keys)}", nameof(options));
    }

    private GeneratedEmbeddings<Embedding<float>> Generate(string[] texts, int dimensions, string? prompt, CancellationToken cancellation)
    {
        IReadOnlyList<TextVector> vectors = embedder.Embed(texts, prompt, batchSize, cancellation);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        long tokens = vectors.Sum(vector => (long)vector.Tokens);
        return new GeneratedEmbeddings<Embedding<float>>(vectors.Select(vector => new Embedding<float>(Cut(vector.Values, dimensions))
        {
            CreatedAt = now,
            ModelId = metadata.DefaultModelId,
            AdditionalProperties = new AdditionalPropertiesDictionary { [TokensProperty] = vector.Tokens, [CutProperty] = vector.IsCut },
        }))
        { Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens } };
    }

    /// <summary>The first dimensions, at the length that all of them had where that was 1.</summary>
    private float[] Cut(float[] vector, int dimensions) => TextVector.First(vector, dimensions, embedder.Settings.Normalises && dimensions < vector.Length);
}
