using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>
/// DeBERTa's attention (arXiv 2006.03654, equation 4): to a score are added a content's with the other's position and a position's with the other's content, made by the layers of
/// queries and keys from a table that all layers share. Padding attends to nothing.
/// </summary>
internal sealed class DisentangledAttention(DebertaV2Config config, ParameterSource source, string path) : SelfAttention(config, source, path)
{
    protected override AttentionTerms Terms(LayerInputs inputs, ForwardContext context)
    {
        int kinds = 1 + (config.ContentToPosition ? 1 : 0) + (config.PositionToContent ? 1 : 0);
        var terms = new AttentionTerms(
            config.Heads, 1 / Math.Sqrt((double)kinds * config.HiddenSize / config.Heads), inputs.Mask, MaskQueries: true, PositionOf: inputs.Positions?.RowOf);
        if (inputs.Positions is not { } positions) return terms;
        Tensor embeddings = context.Dropout(positions.Table, config.HiddenDropout);
        return terms with
        {
            PositionKey = config.ContentToPosition ? Key.Forward(embeddings) : null,
            PositionQuery = config.PositionToContent ? Query.Forward(embeddings) : null,
        };
    }
}
