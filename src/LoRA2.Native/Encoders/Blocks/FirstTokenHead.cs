using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>A head that turns the first token's hidden state into logits: dropout → dense → activation → dropout → classifier.</summary>
public sealed class FirstTokenHead : EncoderHead
{
    private readonly LinearLayer dense;
    private readonly Activation activation;
    private readonly double firstDropout;
    private readonly double lastDropout;

    /// <summary>Makes both layers.</summary>
    /// <param name="config">Width, labels, and the classifier's name.</param>
    /// <param name="source">Where the weights are, if anywhere.</param>
    /// <param name="modules">The paths of the modules that PEFT saves: that of the dense layer and that of the classifier; one when it is the same.</param>
    /// <param name="dense">The dense layer's whole name.</param>
    /// <param name="activation">After the dense layer.</param>
    /// <param name="firstDropout">Before the dense layer.</param>
    /// <param name="lastDropout">Before the classifier.</param>
    public FirstTokenHead(EncoderConfig config, ParameterSource source, IReadOnlyList<string> modules, string dense, Activation activation, double firstDropout, double lastDropout)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(modules);
        ArgumentNullException.ThrowIfNull(dense);
        this.activation = activation;
        this.firstDropout = firstDropout;
        this.lastDropout = lastDropout;
        this.dense = source.Linear(dense, config.HiddenSize, config.HiddenSize);
        Classifier = source.Linear(config.ClassifierName, config.HiddenSize, config.Labels);
        Parameter[] first = [.. this.dense.Parameters], last = [.. Classifier.Parameters];
        Modules = modules.Count == 1 ? [new HeadModule(modules[0], [.. first, .. last])] : [new HeadModule(modules[0], first), new HeadModule(modules[1], last)];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<HeadModule> Modules { get; }

    /// <inheritdoc/>
    public override LinearLayer Classifier { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<LinearLayer> Linears => [dense, Classifier];

    /// <inheritdoc/>
    public override Tensor Forward(Tensor hidden, Tensor mask, ForwardContext context)
    {
        using var scope = new TensorScope();
        Tensor token = Ops.Reshape(Ops.Slice(hidden, 1, 0, 1), hidden.Shape[0], hidden.Shape[2]);
        Tensor pooled = Ops.Activate(dense.Forward(context.Dropout(token, firstDropout), context), activation);
        return scope.Keep(Classifier.Forward(context.Dropout(pooled, lastDropout), context));
    }
}
