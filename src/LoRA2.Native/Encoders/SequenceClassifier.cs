using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders;

/// <summary>An encoder of any family with a head for classification or regression of whole sequences, computed as HuggingFace's <c>…ForSequenceClassification</c> does.</summary>
public sealed class SequenceClassifier : IDisposable
{
    private readonly Encoder encoder;
    private readonly TensorReuse reuse = new();

    private SequenceClassifier(EncoderConfig config, SafetensorsFolder? files, ulong seed, Precision precision)
    {
        Config = config;
        using var scope = new TensorScope();
        var source = new ParameterSource(files, config, seed, precision);
        encoder = config.CreateEncoder(source);
        Head = config.CreateHead(source.ForHead());
        Precision = precision;
        BaseParameters = source.Made;
        InitialisedParameters = source.Initialised;
    }

    /// <summary>The family and its sizes.</summary>
    public EncoderConfig Config { get; }

    /// <summary>The base model's own parameters, encoder and head, without adapters'.</summary>
    public IReadOnlyList<Parameter> BaseParameters { get; }

    /// <summary>The precision of the encoder's matrix products. The head, adapters, softmax and layer norms are float32 in every one.</summary>
    public Precision Precision { get; }

    /// <summary>Where the parameters are: the CPU, until <see cref="MoveTo"/>.</summary>
    public Device Device { get; private set; } = Device.Cpu;

    /// <summary>Names of head parameters that the files lacked, or had in another size, and that were initialised.</summary>
    public IReadOnlyList<string> InitialisedParameters { get; }

    /// <summary>The encoder's linear layers: what adapters can be put on.</summary>
    public IReadOnlyList<LinearLayer> AdaptableLayers => encoder.Linears;

    /// <summary>What makes logits of the encoder's hidden states.</summary>
    public EncoderHead Head { get; }

    /// <summary>The base parameters and then the adapters'.</summary>
    public IEnumerable<Parameter> Parameters =>
        BaseParameters.Concat(AdaptableLayers.Where(layer => layer.Adapter is not null).SelectMany(layer => layer.Adapter!.Parameters));

    /// <summary>Loads a HuggingFace folder.</summary>
    /// <param name="folder">With <c>config.json</c> and <c>model.safetensors</c>, whole or in shards.</param>
    /// <param name="configure">Changes the config before the model is made: the number of labels, dropouts.</param>
    /// <param name="seed">Of the initialisation of a head that the files lack.</param>
    /// <param name="precision">Of the encoder's matrix products.</param>
    /// <exception cref="InputException">A file is missing or damaged, or asks for something not supported.</exception>
    public static SequenceClassifier FromFolder(string folder, Func<EncoderConfig, EncoderConfig>? configure = null, ulong seed = 0, Precision precision = Precision.Float32)
    {
        EncoderConfig config = EncoderConfigReader.FromFolder(folder);
        using SafetensorsFolder files = SafetensorsFolder.Open(folder);
        return new SequenceClassifier(configure?.Invoke(config) ?? config, files, seed, precision);
    }

    /// <summary>A model with weights initialised as HuggingFace does it: N(0, initializer_range), biases 0, gains 1, padding rows 0.</summary>
    public static SequenceClassifier Create(EncoderConfig config, ulong seed = 0, Precision precision = Precision.Float32) => new(config, null, seed, precision);

    /// <summary>A scope for one step or pass: a reusing one, unless an adapter that is not this library's may hold on to tensors.</summary>
    internal TensorScope OpenScope() => new(KeepsNothing ? reuse : null);

    /// <summary>Whether a pass leaves nothing behind and asks nothing of its own results: all adapters are this library's own.</summary>
    internal bool KeepsNothing => encoder.KeepsNothing;

    /// <summary>A batch with all that has to be counted where the ids are: a pass takes it, moved to the model's device, without looking at ids in this process.</summary>
    internal EncoderBatch Prepare(in EncoderBatch batch) => encoder.Prepare(batch);

    /// <summary>The logits, [batch, labels]. They belong to the current tensor scope.</summary>
    public Tensor Forward(EncoderBatch batch, ForwardContext context)
    {
        Tensor hidden = encoder.Forward(batch, out Tensor mask, context);
        return Head.Forward(hidden, mask, context);
    }

    /// <summary>
    /// The task's loss, rank 0: cross-entropy of Int32 labels [batch] over those not negative, or, for regression, the mean squared error of
    /// Float32 targets [batch].
    /// </summary>
    public Tensor Loss(Tensor logits, Tensor labels)
    {
        labels = labels.To(logits.Device);
        if (!Config.IsRegression) return Ops.CrossEntropy(logits, labels);
        return Ops.MeanSquaredError(labels.Shape == logits.Shape ? logits : Ops.Reshape(logits, labels.Shape.Extents), labels);
    }

    /// <summary>
    /// Moves every parameter, and what adapters keep besides, to a device, where from then on the model computes; adapters that are attached or loaded later follow.
    /// Gradients are forgotten.
    /// </summary>
    public void MoveTo(Device device)
    {
        foreach (Parameter parameter in BaseParameters) parameter.MoveTo(device);
        foreach (LinearLayer layer in AdaptableLayers) layer.Adapter?.MoveTo(device);
        if (device == Device) return;
        // Nobody there needs blocks of the weights' sizes any more.
        Device.Memory.Trim();
        Device = device;
    }

    /// <summary>Makes every base parameter trainable: full fine-tuning.</summary>
    public void TrainAll()
    {
        foreach (Parameter parameter in BaseParameters) parameter.Train();
    }

    /// <summary>Freezes every base parameter, so that kernels may pack it.</summary>
    public void FreezeBase() => FreezeAllBut([]);

    /// <summary>Makes these base parameters trainable and freezes the others. What is to be trained is never frozen in between: freezing may round.</summary>
    internal void FreezeAllBut(HashSet<Parameter> trained)
    {
        foreach (Parameter parameter in BaseParameters)
        {
            if (trained.Contains(parameter)) parameter.Train();
            else parameter.Freeze();
        }

        // What rounding the weights has left over is of no size that a step needs.
        if (Precision == Precision.BFloat16) MemoryPool.Shared.Trim();
    }

    /// <summary>Frees all parameters.</summary>
    public void Dispose()
    {
        foreach (Parameter parameter in Parameters) parameter.Value.Dispose();
    }
}
