using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>
/// DeBERTa's attention (arXiv 2006.03654, equation 4): to a score are added a content's with the other's position and a position's with the other's content, made from a table that
/// all layers share, by the layers of keys and queries or by layers of their own (share_att_key). Padding attends to nothing.
/// </summary>
internal sealed class DisentangledAttention : SelfAttention
{
    private readonly DebertaV2Config config;
    private readonly LinearLayer? positionKey;
    private readonly LinearLayer? positionQuery;

    public DisentangledAttention(DebertaV2Config config, ParameterSource source, string path)
        : base(config, source, path)
    {
        this.config = config;
        int width = config.HiddenSize;
        if (config.ContentToPosition) positionKey = config.SharesKeys ? Key : source.Linear($"{path}.attention.self.pos_key_proj", width, width);
        if (config.PositionToContent) positionQuery = config.SharesKeys ? Query : source.Linear($"{path}.attention.self.pos_query_proj", width, width);
    }

    private protected override bool TermsAreAdapted(RowAdapters rows) => (positionKey is not null && rows.Adapt(positionKey)) || (positionQuery is not null && rows.Adapt(positionQuery));

    protected override AttentionTerms Terms(LayerInputs inputs, ForwardContext context)
    {
        int kinds = 1 + (config.ContentToPosition ? 1 : 0) + (config.PositionToContent ? 1 : 0);
        var terms = new AttentionTerms(
            config.Heads, 1 / Math.Sqrt((double)kinds * config.HiddenSize / config.Heads), inputs.Mask, MaskQueries: true, PositionOf: inputs.Positions?.RowOf);
        if (inputs.Positions is not { } positions) return terms;
        Tensor embeddings = context.Dropout(positions.Table, config.HiddenDropout);
        return terms with { PositionKey = positionKey?.Forward(embeddings, context), PositionQuery = positionQuery?.Forward(embeddings, context) };
    }
}
