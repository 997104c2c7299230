using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders;

/// <summary>
/// From the first token's hidden state to logits: dropout → dense → activation → dropout → classifier. BERT has no first dropout; the layers'
/// names differ.
/// </summary>
internal sealed class ClassificationHead
{
    private readonly EncoderConfig config;
    private readonly LinearLayer dense;
    private readonly LinearLayer classifier;

    public ClassificationHead(EncoderConfig config, ParameterSource source)
    {
        this.config = config;
        (string first, string last) = config.Family switch
        {
            EncoderFamily.Bert => ("bert.pooler.dense", "classifier"),
            EncoderFamily.Roberta => ("classifier.dense", "classifier.out_proj"),
            _ => ("pooler.dense", "classifier"),
        };
        dense = source.Linear(first, config.HiddenSize, config.HiddenSize, optional: true);
        classifier = source.Linear(last, config.HiddenSize, config.Labels, optional: true);
    }

    /// <summary>The layers, the classifier last.</summary>
    public IEnumerable<LinearLayer> Linears => [dense, classifier];

    /// <summary>[batch, length, width] → [batch, labels].</summary>
    public Tensor Forward(Tensor hidden, ForwardContext context)
    {
        using var scope = new TensorScope();
        double last = config.ClassifierDropout ?? config.HiddenDropout;
        double first = config.Family switch
        {
            EncoderFamily.Bert => 0,
            EncoderFamily.Roberta => last,
            _ => config.PoolerDropout,
        };
        Tensor token = Ops.Reshape(Ops.Slice(hidden, 1, 0, 1), hidden.Shape[0], hidden.Shape[2]);
        Tensor pooled = dense.Forward(context.Dropout(token, first));
        pooled = config.Family == EncoderFamily.DebertaV3 ? Activation.Apply(config.PoolerActivation, pooled) : Ops.Tanh(pooled);
        return scope.Keep(classifier.Forward(context.Dropout(pooled, last)));
    }
}
