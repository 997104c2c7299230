using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>
/// ModernBERT's layer (arXiv 2412.13663), normalised before each half: x + dropout(Wo attention(LN(x))), then · + Wo dropout(activation(a) ∘ g) with a, g the halves of Wi LN(·). One
/// matrix makes queries, keys and values, which are turned by rotary positions; in a local layer a token sees only its neighbours. The first layer's input is normalised already.
/// </summary>
internal sealed class GatedLayer : IEncoderLayer
{
    private readonly ModernBertConfig config;
    private readonly LinearLayer queryKeyValue;
    private readonly LinearLayer attentionOutput;
    private readonly NormLayer? attentionNorm;
    private readonly LinearLayer intermediate;
    private readonly LinearLayer output;
    private readonly NormLayer outputNorm;
    private readonly RotaryPositions positions;
    private readonly ByLength? window;

    /// <param name="config">Sizes, names and biases.</param>
    /// <param name="source">Where the weights are.</param>
    /// <param name="path">The layer's whole name.</param>
    /// <param name="isFirst">Whether it is the first.</param>
    /// <param name="positions">Global or local ones.</param>
    /// <param name="window">[length, length], 0 or what is as good as −∞, of a local layer; null for a global one.</param>
    public GatedLayer(ModernBertConfig config, ParameterSource source, string path, bool isFirst, RotaryPositions positions, ByLength? window)
    {
        this.config = config;
        this.positions = positions;
        this.window = window;
        LayerNames names = config.Names;
        int width = config.HiddenSize;
        if (!isFirst) attentionNorm = source.Norm($"{path}.{names.AttentionNorm}", width, config.LayerNormEpsilon, config.NormsHaveBias);
        queryKeyValue = source.Linear($"{path}.{names.Query}", width, 3 * width, config.AttentionHasBias);
        attentionOutput = source.Linear($"{path}.{names.AttentionOutput}", width, width, config.AttentionHasBias);
        outputNorm = source.Norm($"{path}.{names.OutputNorm}", width, config.LayerNormEpsilon, config.NormsHaveBias);
        intermediate = source.Linear($"{path}.{names.Intermediate}", width, 2 * config.IntermediateSize, config.FeedForwardHasBias);
        output = source.Linear($"{path}.{names.Output}", config.IntermediateSize, width, config.FeedForwardHasBias);
        Linears = [queryKeyValue, attentionOutput, intermediate, output];
    }

    public IReadOnlyList<LinearLayer> Linears { get; }

    public Tensor Forward(Tensor x, LayerInputs inputs, ForwardContext context)
    {
        using var scope = new TensorScope();
        Tensor attended = Attend(attentionNorm is null ? x : attentionNorm.Forward(x), inputs, context, scope);
        Tensor middle = Ops.Add(x, context.TokenDropout(attentionOutput.Forward(attended, context), config.AttentionDropout));
        Tensor both = intermediate.Forward(outputNorm.Forward(middle), context);
        int width = config.IntermediateSize;
        Tensor activated = Ops.Activate(Ops.Contiguous(Ops.Slice(both, 2, 0, width)), config.HiddenActivation);
        Tensor gated = Ops.Multiply(activated, Ops.Slice(both, 2, width, width));
        return scope.Keep(Ops.Add(middle, output.Forward(context.TokenDropout(gated, config.HiddenDropout), context)));
    }

    private Tensor Attend(Tensor x, LayerInputs inputs, ForwardContext context, TensorScope scope)
    {
        Tensor all = queryKeyValue.Forward(x, context);
        if (inputs.Packed is { } padded) all = padded.Pad(all);
        int width = config.HiddenSize;
        Tensor Part(int number) => ComposedAttention.Heads(Ops.Slice(all, 2, number * width, width), config.Heads);
        Tensor attended = ComposedAttention.Of(
            positions.Turn(Part(0)), positions.Turn(Part(1)), Part(2), window?.On(x.Device, inputs.Mask.Shape[1]), inputs.Mask, config.AttentionDropout, context, scope);
        return inputs.Packed is { } packed ? packed.Pack(attended) : attended;
    }
}
