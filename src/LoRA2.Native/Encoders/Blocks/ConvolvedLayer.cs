using System.Buffers;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>
/// DeBERTa-v2's first layer: beside it runs a convolution over the tokens of its input x, and the result is LN(layer(x) + activation(dropout(conv(x) × mask))) × mask. The
/// convolution is a linear layer of each token and its neighbours.
/// </summary>
internal sealed class ConvolvedLayer : IEncoderLayer, IMadeOfParts
{
    private readonly DebertaV2Config config;
    private readonly IEncoderLayer layer;
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly NormLayer norm;

    public ConvolvedLayer(DebertaV2Config config, ParameterSource source, string path, IEncoderLayer layer)
    {
        this.config = config;
        this.layer = layer;
        int width = config.HiddenSize;
        weight = source.Parameter($"{path}.conv.weight", [width, width / config.ConvolutionGroups, config.ConvolutionKernel]);
        bias = source.Parameter($"{path}.conv.bias", [width], 0, 0);
        norm = source.Norm($"{path}.LayerNorm", width, config.LayerNormEpsilon);
    }

    public IReadOnlyList<LinearLayer> Linears => layer.Linears;

    IEnumerable<object> IMadeOfParts.Parts => [layer];

    public Tensor Forward(Tensor x, LayerInputs inputs, ForwardContext context)
    {
        using var scope = new TensorScope();
        int kept = context.Attentions?.Count ?? 0;
        Tensor y = layer.Forward(x, inputs, context);
        for (int i = kept; i < (context.Attentions?.Count ?? 0); i++) scope.Keep(context.Attentions![i]);
        Tensor mask = Ops.Reshape(inputs.Mask.To(DType.Float32), inputs.Mask.Shape[0], inputs.Mask.Shape[1], 1);
        // A text's neighbours are not its own: the convolution alone has the padding between them.
        Tensor padded = inputs.Packed is { } tokens ? tokens.Pad(x) : x;
        Tensor convolved = Ops.Activate(context.Dropout(Ops.Multiply(Convolved(padded), mask), config.HiddenDropout), config.ConvolutionActivation);
        if (inputs.Packed is { } packed) return scope.Keep(norm.Forward(Ops.Add(y, packed.Pack(convolved))));
        return scope.Keep(Ops.Multiply(norm.Forward(Ops.Add(y, convolved)), mask));
    }

    /// <summary>[batch, length, width] → the same: y_t = Σ_k W_k x_(t + k − half) + b, with zeros beyond the ends.</summary>
    private Tensor Convolved(Tensor x)
    {
        int groups = config.ConvolutionGroups, kernel = config.ConvolutionKernel, width = x.Shape[2] / groups;
        Tensor[] parts = ArrayPool<Tensor>.Shared.Rent(groups), window = ArrayPool<Tensor>.Shared.Rent(kernel);
        for (int group = 0; group < groups; group++)
        {
            Tensor part = groups == 1 ? x : Ops.Contiguous(Ops.Slice(x, 2, group * width, width));
            for (int k = 0; k < kernel; k++) window[k] = Shifted(part, k - (kernel / 2));
            // [out, in, kernel] → [out, kernel · in], as the window has them.
            Tensor rows = Ops.Permute(Ops.Slice(weight.Value, 0, group * width, width), 0, 2, 1);
            parts[group] = Ops.Linear(Ops.Concat(2, window.AsSpan(0, kernel)), Ops.Reshape(Ops.Contiguous(rows), width, kernel * width));
        }

        Tensor whole = groups == 1 ? parts[0] : Ops.Concat(2, parts.AsSpan(0, groups));
        ArrayPool<Tensor>.Shared.Return(parts, clearArray: true);
        ArrayPool<Tensor>.Shared.Return(window, clearArray: true);
        return Ops.Add(whole, bias.Value);
    }

    /// <summary>The token <paramref name="by"/> places on, or 0.</summary>
    private static Tensor Shifted(Tensor x, int by)
    {
        if (by == 0) return x;
        (int length, int missing) = (x.Shape[1], Math.Min(Math.Abs(by), x.Shape[1]));
        Tensor zeros = Tensor.Zeros([x.Shape[0], missing, x.Shape[2]], x.DType, x.Device);
        if (missing == length) return zeros;
        return by > 0 ? Ops.Concat(1, Ops.Slice(x, 1, missing, length - missing), zeros) : Ops.Concat(1, zeros, Ops.Slice(x, 1, 0, length - missing));
    }
}
