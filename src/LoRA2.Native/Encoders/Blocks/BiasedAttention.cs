using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>softmax(q kᵀ / √d + bias) v for each head, with a bias [heads, length, length] that all layers share.</summary>
internal sealed class BiasedAttention(EncoderConfig config, ParameterSource source, string path) : SelfAttention(config, source, path)
{
    public override Tensor Forward(Tensor x, LayerInputs inputs, ForwardContext context, TensorScope scope)
    {
        int heads = Config.Heads;
        (Tensor q, Tensor k, Tensor v) = (Query.Forward(x, context), Key.Forward(x, context), Value.Forward(x, context));
        Tensor ForHeads(Tensor all) => ComposedAttention.Heads(inputs.Packed is { } padded ? padded.Pad(all) : all, heads);
        Tensor attended = ComposedAttention.Of(ForHeads(q), ForHeads(k), ForHeads(v), inputs.Positions?.Table, inputs.Mask, Config.AttentionDropout, context, scope);
        return inputs.Packed is { } packed ? packed.Pack(attended) : attended;
    }
}
