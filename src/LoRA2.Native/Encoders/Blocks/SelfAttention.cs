using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>softmax(q kᵀ / √d) v for each head (arXiv 1706.03762, equation 1), with the layers that make q, k and v. Keys of padding have no weight.</summary>
public class SelfAttention
{
    private readonly Precision precision;

    /// <summary>Makes the layers of one encoder layer.</summary>
    /// <param name="config">Sizes, names and dropout.</param>
    /// <param name="source">Where the weights are.</param>
    /// <param name="path">The encoder layer's whole name.</param>
    public SelfAttention(EncoderConfig config, ParameterSource source, string path)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(path);
        Config = config;
        int width = config.HiddenSize;
        Query = source.Linear($"{path}.{config.Names.Query}", width, width);
        Key = source.Linear($"{path}.{config.Names.Key}", width, width);
        Value = source.Linear($"{path}.{config.Names.Value}", width, width);
        precision = source.Precision;
    }

    /// <summary>Query, key and value.</summary>
    public IReadOnlyList<LinearLayer> Linears => [Query, Key, Value];

    /// <summary>The family.</summary>
    protected EncoderConfig Config { get; }

    /// <summary>Makes the queries.</summary>
    protected LinearLayer Query { get; }

    /// <summary>Makes the keys.</summary>
    protected LinearLayer Key { get; }

    /// <summary>Makes the values.</summary>
    protected LinearLayer Value { get; }

    /// <summary>[batch, length, width] → [batch, length, width], heads side by side, before the linear layer that follows.</summary>
    /// <param name="x">The hidden states.</param>
    /// <param name="inputs">What the layer was given.</param>
    /// <param name="context">The pass.</param>
    /// <param name="scope">The layer's, which probabilities that the pass keeps outlive.</param>
    public virtual Tensor Forward(Tensor x, LayerInputs inputs, ForwardContext context, TensorScope scope)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(context);
        if (context.Rows is { Count: > 1 } rows && TermsAreAdapted(rows)) return BySegment(x, inputs, context, rows);
        AttentionTerms terms = Terms(inputs, context) with { Dropout = context.NextDropout(Config.AttentionDropout), Precision = precision };
        if (inputs.Packed is { } packed) terms = packed.In(terms);
        (Tensor q, Tensor k, Tensor v) = (Query.Forward(x, context), Key.Forward(x, context), Value.Forward(x, context));
        Tensor? probabilities = context.Attentions is null ? null : Tensor.Empty([x.Shape[0], Config.Heads, x.Shape[1], x.Shape[1]], x.DType, x.Device);
        Tensor attended = Attend(q, k, v, terms, probabilities);
        if (probabilities is not null) context.Attentions!.Add(scope.Keep(probabilities));
        return attended;
    }

    /// <summary>Whether <see cref="Terms"/> asks layers that some of the pass's rows have adapters on, so that each segment of rows has terms of its own.</summary>
    private protected virtual bool TermsAreAdapted(RowAdapters rows) => false;

    private static Tensor Attend(Tensor q, Tensor k, Tensor v, in AttentionTerms terms, Tensor? probabilities) =>
        terms.PositionOf is null ? Ops.Attention(q, k, v, terms, probabilities) : Ops.DisentangledAttention(q, k, v, terms, probabilities);

    private Tensor BySegment(Tensor x, LayerInputs inputs, ForwardContext context, RowAdapters rows)
    {
        (Tensor q, Tensor k, Tensor v) = (Query.Forward(x, context), Key.Forward(x, context), Value.Forward(x, context));
        Tensor[] parts = new Tensor[rows.Count];
        int first = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            int count = rows.RowsOf(i);
            Tensor Own(Tensor all) => Ops.Slice(all, 0, first, count);
            // Without padding the terms take nothing of the mask but its length, which is the same for all.
            AttentionTerms terms = Terms(inputs.Packed is null ? inputs with { Mask = Own(inputs.Mask) } : inputs, new ForwardContext { Rows = rows.Only(i) }) with { Precision = precision };
            if (inputs.Packed is { } packed) terms = packed.In(terms, first, count);
            parts[i] = Attend(Own(q), Own(k), Own(v), terms, null);
            first += count;
        }

        return Ops.Concat(0, parts);
    }

    /// <summary>Heads, scale, mask and what the scores have besides; dropout and precision are put in by <see cref="Forward"/>.</summary>
    protected virtual AttentionTerms Terms(LayerInputs inputs, ForwardContext context) => new(Config.Heads, 1 / Math.Sqrt((double)Config.HiddenSize / Config.Heads), inputs.Mask);
}
