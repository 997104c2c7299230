using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>
/// word + segment + position → layer norm → dropout. BERT and most others count positions from 0; RoBERTa and its kin count the tokens that are not the padding id, from
/// padding id + 1, and give padding the padding id's position.
/// </summary>
public sealed class AbsoluteEmbeddings : IEmbeddings
{
    private readonly EncoderConfig config;
    private readonly bool countsTokens;
    private readonly Parameter words;
    private readonly Parameter? positions;
    private readonly Parameter? types;
    private readonly NormLayer norm;

    /// <summary>Makes the tables; that of segments only for a config with some.</summary>
    /// <param name="config">Sizes and dropout.</param>
    /// <param name="source">Where the weights are.</param>
    /// <param name="path">The module's whole name.</param>
    /// <param name="countsTokens">Whether positions count the tokens that are not padding.</param>
    /// <param name="width">The tables' width; 0: that of the hidden states.</param>
    /// <param name="hasPositions">Whether there is a table of positions; not where the layers have distances of their own. HuggingFace's class has one there that it doesn't use.</param>
    public AbsoluteEmbeddings(EncoderConfig config, ParameterSource source, string path, bool countsTokens = false, int width = 0, bool hasPositions = true)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(path);
        this.config = config;
        this.countsTokens = countsTokens;
        if (width == 0) width = config.HiddenSize;
        words = source.Table($"{path}.word_embeddings.weight", config.VocabularySize, width, zeroRow: config.PadTokenId);
        positions = !hasPositions ? null : source.Table($"{path}.position_embeddings.weight", config.MaxPositions, width, zeroRow: countsTokens ? config.PadTokenId : -1);
        types = config.TypeVocabularySize > 0 ? source.Table($"{path}.token_type_embeddings.weight", config.TypeVocabularySize, width) : null;
        norm = source.Norm($"{path}.LayerNorm", width, config.LayerNormEpsilon);
    }

    /// <inheritdoc/>
    public EncoderBatch Prepare(in EncoderBatch batch) => AbsolutePositions.Counted(batch, config.LongestInput, countsTokens ? config.PadTokenId : -1);

    /// <inheritdoc/>
    public Tensor Forward(EncoderBatch batch, ForwardContext context)
    {
        using var scope = new TensorScope();
        // Positions are counted where the ids came from, before they go to the device.
        batch = Prepare(batch).To(words.Value.Device);
        Tensor sum = Ops.Embedding(words.Value, batch.Ids, config.PadTokenId);
        if (types is not null)
        {
            Tensor segments = batch.TypeIds is { } ids && config.TypeVocabularySize > 1 ? ids : Tensor.Zeros(batch.Ids.Shape, DType.Int32, batch.Ids.Device);
            sum = Ops.Add(sum, Ops.Embedding(types.Value, segments));
        }

        if (positions is not null) sum = Ops.Add(sum, Ops.Embedding(positions.Value, batch.Positions!, countsTokens ? config.PadTokenId : -1));
        return scope.Keep(context.TokenDropout(norm.Forward(sum), config.HiddenDropout));
    }
}
