using LoRA2.Native.Extensions.AI;
using LoRA2.Native.Hosting.Telemetry;
using LoRA2.Native.Inference;
using Microsoft.Extensions.AI;

namespace LoRA2.Native.Hosting;

/// <summary>
/// A <see cref="TextService"/> as Microsoft.Extensions.AI's generator of embeddings: <see cref="EmbeddingGenerationOptions.ModelId"/> names an adapter, or the model itself; prompts and additional
/// properties are those of <see cref="EmbedderGenerator"/>.
/// </summary>
public sealed class QueuedEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly TextService service;

    /// <summary>Makes a generator; the service is left to its owner.</summary>
    public QueuedEmbeddingGenerator(TextService service)
    {
        ArgumentNullException.ThrowIfNull(service);
        this.service = service;
    }

    /// <summary>The vectors of texts, in their order.</summary>
    /// <exception cref="Models.UnknownAdapterException">Another model was asked for, which is no adapter either.</exception>
    /// <inheritdoc cref="TextService.EmbedAsync(IReadOnlyList{string}, TextRequest?, CancellationToken)"/>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        string? prompt = null;
        options?.AdditionalProperties?.TryGetValue(EmbedderGenerator.PromptNameProperty, out prompt);
        var request = new TextRequest { Adapter = options?.ModelId is { } model && model != service.Name ? model : null, Prompt = prompt, Dimensions = options?.Dimensions };
        IReadOnlyList<TextVector> vectors = await service.EmbedAsync([.. values], request, cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        long tokens = vectors.Sum(static vector => (long)vector.Tokens);
        return new GeneratedEmbeddings<Embedding<float>>(vectors.Select(vector => new Embedding<float>(vector.Values)
        {
            CreatedAt = now,
            ModelId = options?.ModelId ?? service.Name,
            AdditionalProperties = new AdditionalPropertiesDictionary { [EmbedderGenerator.TokensProperty] = vector.Tokens, [EmbedderGenerator.CutProperty] = vector.IsCut },
        }))
        { Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens } };
    }

    /// <summary>The service, the generator's metadata, or the generator itself.</summary>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType == typeof(EmbeddingGeneratorMetadata)) return new EmbeddingGeneratorMetadata(LoRA2Telemetry.ProviderName, null, service.Name, service.Dimensions);
        return serviceType == typeof(TextService) ? service : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>Does nothing: the service is its owner's.</summary>
    public void Dispose()
    {
    }
}
