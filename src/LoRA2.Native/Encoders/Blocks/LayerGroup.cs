using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>Layers, one after the other, that count as one.</summary>
public sealed class LayerGroup(IReadOnlyList<IEncoderLayer> layers) : IEncoderLayer, IMadeOfParts
{
    private readonly IEncoderLayer[] layers = [.. layers ?? throw new ArgumentNullException(nameof(layers))];

    /// <inheritdoc/>
    public IReadOnlyList<LinearLayer> Linears { get; } = [.. layers.SelectMany(layer => layer.Linears)];

    /// <inheritdoc/>
    IEnumerable<object> IMadeOfParts.Parts => layers;

    /// <inheritdoc/>
    public Tensor Forward(Tensor x, LayerInputs inputs, ForwardContext context)
    {
        using var scope = new TensorScope();
        int kept = context.Attentions?.Count ?? 0;
        foreach (IEncoderLayer layer in layers) x = layer.Forward(x, inputs, context);
        for (int i = kept; i < (context.Attentions?.Count ?? 0); i++) scope.Keep(context.Attentions![i]);
        return scope.Keep(x);
    }
}
