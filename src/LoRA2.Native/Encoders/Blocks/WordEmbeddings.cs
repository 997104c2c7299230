using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>Word embedding → layer norm → dropout, for encoders that know positions from their attention alone.</summary>
public sealed class WordEmbeddings : IEmbeddings
{
    private readonly EncoderConfig config;
    private readonly Parameter words;
    private readonly NormLayer norm;

    /// <summary>Makes the table and the norm.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="source">Where the weights are.</param>
    /// <param name="words">The table's whole name, without <c>.weight</c>.</param>
    /// <param name="norm">The norm's whole name.</param>
    /// <param name="hasBias">Whether the norm has a bias.</param>
    public WordEmbeddings(EncoderConfig config, ParameterSource source, string words, string norm, bool hasBias)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(norm);
        this.config = config;
        this.words = source.Table($"{words}.weight", config.VocabularySize, config.HiddenSize, zeroRow: config.PadTokenId);
        this.norm = source.Norm(norm, config.HiddenSize, config.LayerNormEpsilon, hasBias);
    }

    /// <summary>After the norm.</summary>
    public double Dropout { get; init; }

    /// <inheritdoc/>
    public EncoderBatch Prepare(in EncoderBatch batch)
    {
        if (batch.Length > config.LongestInput) throw new ArgumentException($"a batch of {batch.Length} tokens is longer than the model's {config.LongestInput} positions");
        return batch;
    }

    /// <inheritdoc/>
    public Tensor Forward(EncoderBatch batch, ForwardContext context)
    {
        using var scope = new TensorScope();
        batch = Prepare(batch).To(words.Value.Device);
        return scope.Keep(context.TokenDropout(norm.Forward(Ops.Embedding(words.Value, batch.Ids, config.PadTokenId)), Dropout));
    }
}
