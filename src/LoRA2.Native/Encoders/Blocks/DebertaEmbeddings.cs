using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>DeBERTa's: word (+ position) (+ segment) → projection, where they are narrower than the hidden states → layer norm → × mask → dropout. DeBERTa-v3 has words alone.</summary>
internal sealed class DebertaEmbeddings : IEmbeddings
{
    private readonly DebertaV2Config config;
    private readonly Parameter words;
    private readonly Parameter? positions;
    private readonly Parameter? types;
    private readonly LinearLayer? projection;
    private readonly NormLayer norm;

    public DebertaEmbeddings(DebertaV2Config config, ParameterSource source, string path)
    {
        this.config = config;
        int width = config.EmbeddingSize;
        words = source.Table($"{path}.word_embeddings.weight", config.VocabularySize, width, zeroRow: config.PadTokenId);
        if (config.PositionBiasedInput) positions = source.Table($"{path}.position_embeddings.weight", config.MaxPositions, width);
        if (config.TypeVocabularySize > 0) types = source.Table($"{path}.token_type_embeddings.weight", config.TypeVocabularySize, width);
        if (width != config.HiddenSize) projection = source.Linear($"{path}.embed_proj", width, config.HiddenSize, hasBias: false);
        norm = source.Norm($"{path}.LayerNorm", config.HiddenSize, config.LayerNormEpsilon);
    }

    public EncoderBatch Prepare(in EncoderBatch batch) => positions is null ? batch : AbsolutePositions.Counted(batch, config.LongestInput);

    public Tensor Forward(EncoderBatch batch, ForwardContext context)
    {
        // Four passes over the first hidden states, together 4 ms of the 2 s that one core takes for a step of 8 × 128 tokens: not worth an op of their own.
        using var scope = new TensorScope();
        batch = Prepare(batch).To(words.Value.Device);
        Tensor sum = Ops.Embedding(words.Value, batch.Ids, config.PadTokenId);
        if (positions is not null) sum = Ops.Add(sum, Ops.Embedding(positions.Value, batch.Positions!));
        if (types is not null)
        {
            Tensor segments = batch.TypeIds is { } ids && config.TypeVocabularySize > 1 ? ids : Tensor.Zeros(batch.Ids.Shape, DType.Int32, batch.Ids.Device);
            sum = Ops.Add(sum, Ops.Embedding(types.Value, segments));
        }

        Tensor normed = norm.Forward(projection is null ? sum : projection.Forward(sum, context));
        Tensor mask = Ops.Reshape(batch.Mask.To(DType.Float32), batch.Size, batch.Length, 1);
        return scope.Keep(context.TokenDropout(Ops.Multiply(normed, mask), config.HiddenDropout));
    }
}
