using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Extension.Tests;

/// <summary>An encoder family: layers of a feed-forward alone, with an op and a head of their own.</summary>
public sealed record MeanFormerConfig : EncoderConfig
{
    private static readonly LayerNames LayerNames = new()
    {
        Layer = "block.#",
        Query = "none.q",
        Key = "none.k",
        Value = "none.v",
        AttentionOutput = "none.o",
        AttentionNorm = "none.norm",
        Intermediate = "up",
        Output = "down",
        OutputNorm = "norm",
    };

    public override string ModelType => "mean-former";

    public override string Title => "MeanFormer";

    public override string ClassName => "MeanFormer";

    public override string Prefix => "mean_former";

    public override LayerNames Names => LayerNames;

    public override EncoderConfig Read(ConfigFields fields) => ReadUsual(this, fields);

    public override Encoder CreateEncoder(ParameterSource source) => new(new AbsoluteEmbeddings(this, source, $"{Prefix}.embeddings"), [.. LayerPaths.Select(path => new Block(this, source, path))]);

    public override EncoderHead CreateHead(ParameterSource source) => new MeanHead(this, source);

    /// <summary>LN(x + down(swish(up(x)))).</summary>
    private sealed class Block(EncoderConfig config, ParameterSource source, string path) : IEncoderLayer
    {
        private readonly LinearLayer up = source.Linear($"{path}.up", config.HiddenSize, config.IntermediateSize);
        private readonly LinearLayer down = source.Linear($"{path}.down", config.IntermediateSize, config.HiddenSize);
        private readonly NormLayer norm = source.Norm($"{path}.norm", config.HiddenSize, config.LayerNormEpsilon);

        public IReadOnlyList<LinearLayer> Linears => [up, down];

        public Tensor Forward(Tensor x, LayerInputs inputs, ForwardContext context)
        {
            using var scope = new TensorScope();
            return scope.Keep(norm.Forward(down.Forward(SwishOp.Swish(up.Forward(x, context)), context), context.NextDropout(config.HiddenDropout), x));
        }
    }

    /// <summary>The mean of the tokens' hidden states → classifier.</summary>
    private sealed class MeanHead : EncoderHead
    {
        public MeanHead(EncoderConfig config, ParameterSource source)
        {
            Classifier = source.Linear(config.ClassifierName, config.HiddenSize, config.Labels);
            Modules = [new HeadModule(config.ClassifierName, [.. Classifier.Parameters])];
        }

        public override IReadOnlyList<HeadModule> Modules { get; }

        public override LinearLayer Classifier { get; }

        public override Tensor Forward(Tensor hidden, Tensor mask, ForwardContext context)
        {
            using var scope = new TensorScope();
            Tensor weights = Ops.Reshape(mask.To(hidden.DType), mask.Shape[0], mask.Shape[1], 1);
            Tensor sum = Ops.Sum(Ops.Multiply(hidden, weights), 1);
            return scope.Keep(Classifier.Forward(Ops.Scale(sum, 1.0 / mask.Shape[1]), context));
        }
    }
}
