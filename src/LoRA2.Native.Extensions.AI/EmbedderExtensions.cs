using LoRA2.Native.Inference;
using Microsoft.Extensions.AI;

namespace LoRA2.Native.Extensions.AI;

/// <summary>From an embedder to a generator.</summary>
public static class EmbedderExtensions
{
    /// <summary>The embedder as a generator that owns it.</summary>
    /// <param name="embedder">What computes the vectors.</param>
    /// <param name="modelId">What the model is called.</param>
    public static IEmbeddingGenerator<string, Embedding<float>> AsEmbeddingGenerator(this TextEmbedder embedder, string? modelId = null) => new EmbedderGenerator(embedder, modelId);
}
