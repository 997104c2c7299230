using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders;

/// <summary>
/// One post-norm transformer layer: LN(x + dropout(dense(attention(x)))), then LN(· + dropout(dense(act(dense(·))))). DeBERTa and BERT differ in the
/// attention's scores, in the names of its projections and in whether padding masks its own row.
/// </summary>
internal sealed class EncoderLayer
{
    private readonly EncoderConfig config;
    private readonly bool isDeberta;
    private readonly LinearLayer query;
    private readonly LinearLayer key;
    private readonly LinearLayer value;
    private readonly LinearLayer attentionOutput;
    private readonly NormLayer attentionNorm;
    private readonly LinearLayer intermediate;
    private readonly LinearLayer output;
    private readonly NormLayer outputNorm;
    private readonly LinearLayer[] linears;

    public EncoderLayer(EncoderConfig config, ParameterSource source, string name)
    {
        this.config = config;
        isDeberta = config.Family == EncoderFamily.DebertaV3;
        string suffix = isDeberta ? "_proj" : "";
        int width = config.HiddenSize;
        query = source.Linear($"{name}.attention.self.query{suffix}", width, width);
        key = source.Linear($"{name}.attention.self.key{suffix}", width, width);
        value = source.Linear($"{name}.attention.self.value{suffix}", width, width);
        attentionOutput = source.Linear($"{name}.attention.output.dense", width, width);
        attentionNorm = source.Norm($"{name}.attention.output.LayerNorm", width, config.LayerNormEpsilon);
        intermediate = source.Linear($"{name}.intermediate.dense", width, config.IntermediateSize);
        output = source.Linear($"{name}.output.dense", config.IntermediateSize, width);
        outputNorm = source.Norm($"{name}.output.LayerNorm", width, config.LayerNormEpsilon);
        linears = [query, key, value, attentionOutput, intermediate, output];
    }

    /// <summary>Of the matrix products with weights and in the attention.</summary>
    public Precision Precision
    {
        get;
        set
        {
            foreach (LinearLayer layer in Linears) layer.Weight.Precision = value;
            field = value;
        }
    }

    public IEnumerable<LinearLayer> Linears => linears;

    public bool KeepsNothing => Array.TrueForAll(linears, static layer => layer.Adapter is null or { KeepsNothing: true });

    /// <param name="x">[batch, length, width].</param>
    /// <param name="mask">[batch, length] Int32.</param>
    /// <param name="relative">The relative embeddings in use and their rows by distance (DeBERTa), or null.</param>
    /// <param name="context">The pass.</param>
    public Tensor Forward(Tensor x, Tensor mask, (Tensor Embeddings, int[] RowOf)? relative, ForwardContext context)
    {
        using var scope = new TensorScope();
        Tensor attended = Attend(x, mask, relative, context, scope);
        Tensor middle = attentionNorm.Forward(attentionOutput.Forward(attended), context.NextDropout(config.HiddenDropout), x);
        Tensor activated = Activation.Apply(config.HiddenActivation, intermediate, middle);
        return scope.Keep(outputNorm.Forward(output.Forward(activated), context.NextDropout(config.HiddenDropout), middle));
    }

    private Tensor Attend(Tensor x, Tensor mask, (Tensor Embeddings, int[] RowOf)? relative, ForwardContext context, TensorScope scope)
    {
        int kinds = 1 + (config.ContentToPosition ? 1 : 0) + (config.PositionToContent ? 1 : 0);
        var terms = new AttentionTerms(
            config.Heads, 1 / Math.Sqrt((double)kinds * config.HiddenSize / config.Heads), mask, MaskQueries: isDeberta, PositionOf: relative?.RowOf);
        if (relative is { } positions)
        {
            Tensor embeddings = context.Dropout(positions.Embeddings, config.HiddenDropout);
            terms = terms with
            {
                PositionKey = config.ContentToPosition ? key.Forward(embeddings) : null,
                PositionQuery = config.PositionToContent ? query.Forward(embeddings) : null,
            };
        }

        terms = terms with { Dropout = context.NextDropout(config.AttentionDropout), Precision = Precision };
        (Tensor q, Tensor k, Tensor v) = (query.Forward(x), key.Forward(x), value.Forward(x));
        Tensor? probabilities = context.Attentions is null ? null : Tensor.Empty([x.Shape[0], config.Heads, x.Shape[1], x.Shape[1]], x.DType, x.Device);
        Tensor attended = relative is null ? Ops.Attention(q, k, v, terms, probabilities) : Ops.DisentangledAttention(q, k, v, terms, probabilities);
        if (probabilities is not null) context.Attentions!.Add(scope.Keep(probabilities));
        return attended;
    }
}
