using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>
/// A transformer layer as BERT has it (arXiv 1810.04805), normalised after each half: LN(x + dropout(dense(attention(x)))), then
/// LN(· + dropout(dense(activation(dense(·))))).
/// </summary>
public sealed class PostNormLayer : IEncoderLayer, IMadeOfParts
{
    private readonly EncoderConfig config;
    private readonly SelfAttention attention;
    private readonly LinearLayer attentionOutput;
    private readonly NormLayer attentionNorm;
    private readonly LinearLayer intermediate;
    private readonly LinearLayer output;
    private readonly NormLayer outputNorm;

    /// <summary>Makes the layer round an attention, which was made just before.</summary>
    /// <param name="config">Sizes, names, activation and dropout.</param>
    /// <param name="source">Where the weights are.</param>
    /// <param name="path">The layer's whole name.</param>
    /// <param name="attention">Its attention.</param>
    public PostNormLayer(EncoderConfig config, ParameterSource source, string path, SelfAttention attention)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(attention);
        this.config = config;
        this.attention = attention;
        LayerNames names = config.Names;
        int width = config.HiddenSize;
        attentionOutput = source.Linear($"{path}.{names.AttentionOutput}", width, width);
        attentionNorm = source.Norm($"{path}.{names.AttentionNorm}", width, config.LayerNormEpsilon);
        intermediate = source.Linear($"{path}.{names.Intermediate}", width, config.IntermediateSize);
        output = source.Linear($"{path}.{names.Output}", config.IntermediateSize, width);
        outputNorm = source.Norm($"{path}.{names.OutputNorm}", width, config.LayerNormEpsilon);
        Linears = [.. attention.Linears, attentionOutput, intermediate, output];
    }

    /// <summary>Whether the attention's half has a dropout before its sum.</summary>
    public bool DropsAttentionOutput { get; init; } = true;

    /// <summary>Whether the feed-forward's half has a dropout before its sum.</summary>
    public bool DropsOutput { get; init; } = true;

    /// <inheritdoc/>
    public IReadOnlyList<LinearLayer> Linears { get; }

    /// <inheritdoc/>
    IEnumerable<object> IMadeOfParts.Parts => [attention];

    /// <inheritdoc/>
    public Tensor Forward(Tensor x, LayerInputs inputs, ForwardContext context)
    {
        using var scope = new TensorScope();
        Tensor attended = attentionOutput.Forward(attention.Forward(x, inputs, context, scope), context);
        Tensor middle = attentionNorm.Forward(attended, DropsAttentionOutput ? context.NextTokenDropout(config.HiddenDropout) : DropoutMask.None, x);
        Tensor activated = intermediate.Forward(middle, context, config.HiddenActivation);
        return scope.Keep(outputNorm.Forward(output.Forward(activated, context), DropsOutput ? context.NextTokenDropout(config.HiddenDropout) : DropoutMask.None, middle));
    }
}
