using LoRA2.Native.Encoders.Weights;
using LoRA2.Native.Files;
using LoRA2.Native.PyTorch;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Encoders;

/// <summary>An encoder of any family with the head of a task's kind, computed as HuggingFace's <c>…ForSequenceClassification</c> and its kin do.</summary>
public sealed class SequenceClassifier : IDisposable
{
    private readonly Encoder encoder;
    private readonly LinearLayer[] headLinears;
    private readonly TensorReuse reuse = new();
    private readonly ModelAccess access = new();
    private readonly IReadOnlyDictionary<string, string> lacking;
    private readonly Dictionary<Parameter, Tensor?> originals = [];
    private readonly bool shares;
    private readonly Lazy<Dictionary<string, byte[]?>>? samples;
    private readonly Lazy<string?>? fingerprint;

    private SequenceClassifier(EncoderConfig config, IWeightFiles? files, ulong seed, Precision precision, SequenceClassifier? other = null, BaseFolder? folder = null)
    {
        Config = config;
        Folder = folder ?? other?.Folder;
        shares = other is not null;
        using var scope = new TensorScope();
        var source = new ParameterSource(files, config, seed, precision, other?.BaseParameters.Where(parameter => !other.InitialisedParameters.Contains(parameter.Name)).ToDictionary(parameter => parameter.Name));
        encoder = config.CreateEncoder(source);
        Head = config.Kind.CreateHead(config, source.ForHead());
        headLinears = [.. Head.Linears];
        Precision = precision;
        BaseParameters = source.Made;
        InitialisedParameters = source.Initialised;
        lacking = source.Lacking;
        string? unused = files is null ? null : UnusedTensors.Doubt(files.Path, source.Unread, config);
        if (other is null) Warnings = [.. ((string?[])[folder?.Doubt, UnknownFields(config, folder), unused]).OfType<string>()];
        if (files is null) return;
        Parameter[] read = [.. BaseParameters.Where(parameter => !InitialisedParameters.Contains(parameter.Name))];
        // What another model has loaded it has sampled before it has rounded it.
        byte[]? Sample(Parameter parameter) => parameter.IsShared ? other!.samples?.Value[parameter.Name] : WeightsFingerprint.Sample(parameter.Name, originals.GetValueOrDefault(parameter) ?? parameter.Value);
        samples = new Lazy<Dictionary<string, byte[]?>>(() => read.DistinctBy(parameter => parameter.Name).ToDictionary(parameter => parameter.Name, Sample));
        fingerprint = new Lazy<string?>(() => WeightsFingerprint.Of(read.Select(parameter => samples.Value[parameter.Name])));
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

    /// <summary>
    /// What tells these weights, as they were loaded, from others of the same shapes, see <see cref="WeightsFingerprint"/>; null for a model that is not from files. It is computed when it is
    /// first asked for, or before the model changes its weights.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The model was disposed before it was computed.</exception>
    public string? Fingerprint
    {
        get
        {
            if (fingerprint is null || fingerprint.IsValueCreated) return fingerprint?.Value;
            using ModelAccess.Lease pass = Hold();
            return fingerprint.Value;
        }
    }

    /// <summary>What is to be known of the files that it was loaded from, each a sentence: a config that contradicts itself or has fields that nobody knows, tensors that are there and not used; and of the tokenizer, once it was <see cref="Check">checked</see>.</summary>
    public IReadOnlyList<string> Warnings { get; private set; } = [];

    /// <summary>What the folder that it was loaded from says besides; null for a model that is from none.</summary>
    internal BaseFolder? Folder { get; }

    /// <summary>The parameters that an adapter's values were put in the place of, or that were trained together with one.</summary>
    internal IReadOnlyCollection<Parameter> Substituted => originals.Keys;

    /// <summary>The encoder's linear layers: what adapters can be put on.</summary>
    public IReadOnlyList<LinearLayer> AdaptableLayers => encoder.Linears;

    /// <summary>Those and the head's: what an adapter of PEFT's may be on.</summary>
    public IEnumerable<LinearLayer> LinearLayers => AdaptableLayers.Concat(headLinears);

    /// <summary>The layers that have an adapter.</summary>
    internal IEnumerable<LinearLayer> AdaptedLayers => LinearLayers.Where(layer => layer.Adapter is not null);

    /// <summary>What makes logits of the encoder's hidden states.</summary>
    public EncoderHead Head { get; }

    /// <summary>The base parameters and then the adapters'.</summary>
    public IEnumerable<Parameter> Parameters =>
        BaseParameters.Concat(AdaptedLayers.SelectMany(layer => layer.Adapter!.Parameters));

    /// <summary>Loads a HuggingFace folder.</summary>
    /// <param name="folder">With <c>config.json</c> and <c>model.safetensors</c>, whole or in shards; <c>pytorch_model.bin</c> in older ones.</param>
    /// <param name="configure">Changes the config before the model is made: the number of labels, dropouts.</param>
    /// <param name="seed">The seed of a head that the files lack.</param>
    /// <param name="precision">The precision of the encoder's matrix products.</param>
    /// <exception cref="InputException">A file is missing or damaged, or asks for something not supported.</exception>
    public static SequenceClassifier FromFolder(string folder, Func<EncoderConfig, EncoderConfig>? configure = null, ulong seed = 0, Precision precision = Precision.Float32)
    {
        ArgumentNullException.ThrowIfNull(folder);
        EncoderConfig config = EncoderConfigReader.WithComputation(folder, out BaseFolder said);
        using IWeightFiles files = WeightsIn(folder);
        return new SequenceClassifier(configure?.Invoke(config) ?? config, files, seed, precision, folder: said);
    }

    /// <summary>The weights in a model's folder, in whichever format.</summary>
    /// <exception cref="InputException">There are none, or a file is damaged.</exception>
    internal static IWeightFiles WeightsIn(string folder) =>
        SafetensorsFolder.Exists(folder) || !TorchWeights.TryOpen(folder, out TorchWeights? pickled) ? new SafetensorsWeights(SafetensorsFolder.Open(folder)) : pickled;

    /// <summary>A model of weights that are in no folder yet, which takes all of them to be there.</summary>
    /// <exception cref="InputException">The encoder lacks one, or has it in another shape.</exception>
    internal static SequenceClassifier FromWeights(EncoderConfig config, IWeightFiles weights) => new(config, weights, 0, Precision.Float32);

    /// <summary>
    /// A model of the same encoder, whose frozen weights and packed forms it shares and does not free, with a head of its own: for one adapter, which it keeps. It has to be freed before the
    /// other.
    /// </summary>
    /// <param name="config">The encoder's config, with the labels and the task of the new head.</param>
    /// <param name="files">What the other lacks of the head.</param>
    internal SequenceClassifier Sharing(EncoderConfig config, IWeightFiles files) => new(config, files, 0, Precision, this) { Device = Device };

    /// <summary>A model with weights initialised as HuggingFace does it: N(0, initializer_range), biases 0, gains 1, padding rows 0.</summary>
    public static SequenceClassifier Create(EncoderConfig config, ulong seed = 0, Precision precision = Precision.Float32)
    {
        ArgumentNullException.ThrowIfNull(config);
        return new(config, null, seed, precision);
    }

    /// <summary>
    /// Adds to <see cref="Warnings"/> what of a tokenizer does not fit the model: it has fewer tokens than the embedding has rows, and padding does not explain it, or other special tokens than the config says. Whatever loads both here
    /// does it by itself.
    /// </summary>
    /// <param name="tokenizer">The tokenizer of the model's folder.</param>
    public void Check(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        Warnings = [.. Warnings.Union(VocabularyDoubts.Of(tokenizer, Config, Folder))];
    }

    /// <summary>Holds the model as it is for passes on this thread: nobody frees it or puts another adapter on it before the result is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    internal ModelAccess.Lease Hold() => access.Pass();

    /// <summary>Waits for the passes that are under way, and keeps others from beginning until the result is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    internal ModelAccess.Lease Change() => access.Change();

    /// <summary>A scope for one step or pass: a reusing one, unless an adapter that is not this library's may hold on to tensors.</summary>
    internal TensorScope OpenScope() => new(KeepsNothing ? reuse : null);

    /// <summary>Whether a pass leaves nothing behind and asks nothing of its own results: all adapters are this library's own.</summary>
    internal bool KeepsNothing => encoder.KeepsNothing && Array.TrueForAll(headLinears, static layer => layer.Adapter is null or { KeepsNothing: true });

    /// <summary>The same for a pass that brings its adapters.</summary>
    internal TensorScope OpenScope(bool adaptersKeepNothing) => new(adaptersKeepNothing && KeepsNothing ? reuse : null);

    /// <summary>The last hidden states, [batch, length, width], and the batch's mask where they are, for heads of others.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    internal Tensor Encode(EncoderBatch batch, ForwardContext context, out Tensor mask)
    {
        using ModelAccess.Lease pass = Hold();
        return encoder.Forward(batch, out mask, context);
    }

    /// <summary>A batch with all that has to be counted where the ids are: a pass takes it, moved to the model's device, without looking at ids in this process.</summary>
    internal EncoderBatch Prepare(in EncoderBatch batch) => encoder.Prepare(batch);

    /// <summary>The logits, [batch, labels], or what else the head of the task's kind gives. A head of tokens gives numbers for padding too, which mean nothing. They belong to the current tensor scope. Any number of threads may do so at once.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Tensor Forward(EncoderBatch batch, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using ModelAccess.Lease pass = Hold();
        Tensor hidden = encoder.Forward(batch, out Tensor mask, context);
        if (batch.Selected is { } places) hidden = Ops.Embedding(Ops.Reshape(hidden, hidden.Shape[0] * hidden.Shape[1], hidden.Shape[2]), places.To(hidden.Device));
        return Head.Forward(hidden, mask, context);
    }

    /// <summary>The task's loss, rank 0, of targets as its kind has them (<see cref="Tasks.TaskKind.Targets"/>), on any device.</summary>
    public Tensor Loss(Tensor logits, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        return Config.Kind.Loss(logits, labels.To(logits.Device));
    }

    /// <summary>
    /// Moves every parameter, and what adapters keep besides, to a device, where from then on the model computes; adapters that are attached or loaded later follow.
    /// Gradients are forgotten.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public void MoveTo(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (Precision == Precision.Int8 && device != Device.Cpu) throw new InputException($"products in int8 are computed on the CPU alone; {device.Name} was asked for");
        using ModelAccess.Lease change = Change();
        if (device != Device) RememberFingerprint();
        foreach (Parameter parameter in BaseParameters) parameter.MoveTo(device);
        foreach (LinearLayer layer in LinearLayers) layer.Adapter?.MoveTo(device);
        if (device == Device) return;
        // Nobody there needs blocks of the weights' sizes any more.
        Device.Memory.Trim();
        Device = device;
    }

    /// <summary>Refuses to answer with random weights: those that the files lack and nothing has replaced since.</summary>
    /// <exception cref="InputException">There are such parameters; the message names them.</exception>
    public void RequireComplete()
    {
        string[] missing = [.. InitialisedParameters.Where(name => lacking.ContainsKey(name) && !originals.Keys.Any(parameter => parameter.Name == name))];
        if (missing.Length == 0) return;
        string others = missing.Length == 1 ? "" : $" (likewise {string.Join(", ", missing.Skip(1).Take(4))}{(missing.Length > 5 ? ", …" : "")})";
        throw new InputException($"{lacking[missing[0]]}{others}; without it the answers would be random: fine-tune the model first, or give the adapter that has it");
    }

    /// <summary>Whether a parameter of a model from files is in none of them, and was drawn.</summary>
    internal bool IsDrawn(Parameter parameter) => lacking.ContainsKey(parameter.Name);

    /// <summary>Remembers a parameter's value before an adapter, or training beside one, changes it.</summary>
    internal void Keep(Parameter parameter)
    {
        if (originals.ContainsKey(parameter)) return;
        if (shares) RememberFingerprint();
        using var scope = new TensorScope();
        originals.Add(parameter, shares ? null : scope.Detach(parameter.Value.Clone()));
    }

    /// <summary>Takes off every adapter, and what came with it: all weights are the base model's again, in the role they had.</summary>
    internal void Restore()
    {
        foreach (LinearLayer layer in LinearLayers)
        {
            layer.Adapter?.Dispose();
            layer.Adapter = null;
        }

        using var scope = new TensorScope();
        foreach ((Parameter parameter, Tensor? value) in originals)
        {
            if (value is null) throw new InvalidOperationException("a model that shares another's weights keeps its adapter");
            Tensor here = value.To(parameter.Value.Device);
            parameter.Replace(here);
            if (!ReferenceEquals(here, value)) value.Dispose();
        }

        originals.Clear();
    }

    /// <summary>Makes every base parameter trainable: full fine-tuning.</summary>
    public void TrainAll()
    {
        using ModelAccess.Lease change = Change();
        RememberFingerprint();
        foreach (Parameter parameter in BaseParameters) parameter.Train();
    }

    /// <summary>Freezes every base parameter, so that kernels may pack it.</summary>
    public void FreezeBase() => FreezeAllBut([]);

    /// <summary>Makes these base parameters trainable and freezes the others. What is to be trained is never frozen in between: freezing may round.</summary>
    internal void FreezeAllBut(HashSet<Parameter> trained)
    {
        using ModelAccess.Lease change = Change();
        if (trained.Count > 0 || Precision == Precision.BFloat16) RememberFingerprint();
        foreach (Parameter parameter in BaseParameters)
        {
            if (trained.Contains(parameter)) parameter.Train();
            else parameter.Freeze();
        }

        // What rounding the weights has left over is of no size that a step needs.
        if (Precision == Precision.BFloat16) MemoryPool.Shared.Trim();
    }

    /// <summary>Computes the fingerprint, if nobody has asked for it, while the weights are as they were loaded: to be called under a change, before it trains, rounds, moves or replaces them.</summary>
    internal void RememberFingerprint()
    {
        _ = fingerprint?.Value;
        Folder?.Remember();
    }

    private static string? UnknownFields(EncoderConfig config, BaseFolder? folder)
    {
        const int Most = 5;
        IReadOnlyList<string> unknown = config.UnknownFields;
        if (unknown.Count == 0) return null;
        return $"{folder?.ConfigPath ?? ModelFolder.ConfigFile}: ignored, as nobody here knows what it means: {string.Join(", ", unknown.Take(Most).Select(Quote.Plain))}{(unknown.Count > Most ? $" and {unknown.Count - Most} other fields" : "")}";
    }

    /// <summary>Frees all parameters, when the passes that are under way have ended; who comes later finds that there is no model any more.</summary>
    public void Dispose() => access.End(() =>
    {
        foreach (Parameter parameter in Parameters) parameter.Free();
        foreach (Tensor? value in originals.Values) value?.Dispose();
        originals.Clear();
    });
}
