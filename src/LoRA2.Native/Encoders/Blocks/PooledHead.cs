using LoRA2.Native.Embeddings;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>ModernBERT's head: the first token's hidden state, or the mean of all, or every token's → dense → activation → layer norm → dropout → classifier.</summary>
public sealed class PooledHead : EncoderHead
{
    private readonly TokenPooling? pooling;
    private readonly LinearLayer dense;
    private readonly Activation activation;
    private readonly NormLayer norm;
    private readonly double dropout;

    /// <summary>Makes the layers.</summary>
    /// <param name="config">Width, labels, and the classifier's name.</param>
    /// <param name="source">Where the weights are, if anywhere.</param>
    /// <param name="module">The module of the dense layer and the norm.</param>
    /// <param name="isMean">Whether the mean is taken, over tokens that are not padding, and not the first; null: neither, every token has logits of its own.</param>
    /// <param name="hasBias">Whether the dense layer and the norm have a bias.</param>
    /// <param name="activation">After the dense layer.</param>
    /// <param name="dropout">Before the classifier.</param>
    public PooledHead(EncoderConfig config, ParameterSource source, string module, bool? isMean, (bool Dense, bool Norm) hasBias, Activation activation, double dropout)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(module);
        if (isMean is { } mean) pooling = new TokenPooling(mean ? Pooling.Mean : Pooling.Cls);
        this.activation = activation;
        this.dropout = dropout;
        dense = source.Linear($"{module}.dense", config.HiddenSize, config.HiddenSize, hasBias.Dense);
        norm = source.Norm($"{module}.norm", config.HiddenSize, config.LayerNormEpsilon, hasBias.Norm);
        Classifier = source.Linear(config.ClassifierName, config.HiddenSize, config.Labels);
        Modules = [new HeadModule(module, [.. dense.Parameters, .. norm.Parameters]), new HeadModule(config.ClassifierName, [.. Classifier.Parameters])];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<HeadModule> Modules { get; }

    /// <inheritdoc/>
    public override LinearLayer Classifier { get; }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor hidden, Tensor mask, ForwardContext context)
    {
        using var scope = new TensorScope();
        Tensor normed = norm.Forward(dense.Forward(pooling is null ? hidden : pooling.Forward(hidden, mask), context, activation));
        return scope.Keep(Classifier.Forward(context.Dropout(normed, dropout), context));
    }
}
