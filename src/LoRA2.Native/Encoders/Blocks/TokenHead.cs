using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>The head that every family but ModernBERT has for tokens: dropout → classifier, of every token by itself.</summary>
public sealed class TokenHead : EncoderHead
{
    /// <summary>What HuggingFace calls the layer.</summary>
    public const string Name = "classifier";

    private readonly double dropout;

    /// <summary>Makes the layer.</summary>
    /// <param name="config">Width and labels.</param>
    /// <param name="source">Where the weights are, if anywhere.</param>
    /// <param name="dropout">Before the classifier.</param>
    public TokenHead(EncoderConfig config, ParameterSource source, double dropout)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(source);
        this.dropout = dropout;
        Classifier = source.Linear(Name, config.HiddenSize, config.Labels);
        Modules = [new HeadModule(Name, [.. Classifier.Parameters])];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<HeadModule> Modules { get; }

    /// <inheritdoc/>
    public override LinearLayer Classifier { get; }

    /// <summary>[batch, length, width] → [batch, length, labels].</summary>
    public override Tensor Forward(Tensor hidden, Tensor mask, ForwardContext context)
    {
        using var scope = new TensorScope();
        return scope.Keep(Classifier.Forward(context.Dropout(hidden, dropout), context));
    }
}
