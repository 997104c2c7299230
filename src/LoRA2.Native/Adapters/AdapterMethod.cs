using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Adapters;

/// <summary>
/// A way of fine-tuning, with its settings: an immutable value. A method is one file in <c>Methods/</c> and one line in
/// <see cref="AdapterMethods"/>, or a class of your own and a call of <see cref="AdapterMethods.Register"/>; the trainer, the command line, the files and the reports know methods by this class alone. Only the first members
/// have to be given; the hooks below them do nothing unless overridden.
/// </summary>
public abstract record AdapterMethod
{
    /// <summary>What the command line and the records call it.</summary>
    public abstract string Name { get; }

    /// <summary>What papers call it.</summary>
    public abstract string Title { get; }

    /// <summary>PEFT's <c>peft_type</c>, or one of our own; null when there is no adapter to save and the whole model is.</summary>
    public virtual string? PeftType => null;

    /// <summary>Whether it puts something on the target layers.</summary>
    public virtual bool UsesTargets => true;

    /// <summary>Target layers when none are named.</summary>
    public virtual IReadOnlyList<string> DefaultTargets => TargetModules.AllSix;

    /// <summary>The learning rate when none is given.</summary>
    public virtual double DefaultLearningRate => 1e-3;

    /// <summary>Its own settings as options of the command line, with this value's settings as defaults.</summary>
    public virtual IReadOnlyList<MethodOption> Options => [];

    /// <summary>Whether adapters have singular values that a budget can prune.</summary>
    public virtual bool HasSingularValues => false;

    /// <summary>r, for methods that have a rank; else 0.</summary>
    public virtual int InitialRank => 0;

    /// <summary>Weight of <see cref="Regulariser"/> in the loss; 0 for none.</summary>
    public virtual double RegulariserWeight => 0;

    /// <summary>A fresh adapter that changes nothing yet, or nearly nothing. To override, or the next one, by a method that <see cref="UsesTargets"/>.</summary>
    /// <param name="layer">The layer it is for.</param>
    /// <param name="random">A stream of random numbers of the layer's own.</param>
    public virtual Adapter Create(LinearLayer layer, Philox random) => throw new NotSupportedException($"{Name} has no adapters");

    /// <summary>Fresh adapters for all targets, one for each in their order; to override where they share something.</summary>
    public virtual IEnumerable<Adapter> Create(IReadOnlyList<LinearLayer> layers, ulong seed) =>
        layers.Select((layer, number) => Create(layer, new Philox(seed, 0x61646170_00000000ul | (uint)number)));

    /// <summary>Whether a parameter of the encoder itself is trained, and saved under its own name.</summary>
    public virtual bool Trains(Parameter parameter) => false;

    /// <summary>Whether an adapter_config.json is this method's.</summary>
    public virtual bool Reads(ConfigFields fields) => PeftType is not null && fields.String("peft_type", "") == PeftType;

    /// <summary>This method with the settings of an adapter_config.json. A field that is not read is reported as unknown.</summary>
    /// <exception cref="InputException">A field changes the computation and is not supported.</exception>
    public virtual AdapterMethod ReadConfig(ConfigFields fields) => this;

    /// <summary>The adapter that a file has for a layer: what <see cref="Adapter.ToPeft"/> made. To override, or the next one, by a method that has a <see cref="PeftType"/>.</summary>
    /// <exception cref="InputException">A tensor is missing or has another shape.</exception>
    public virtual Adapter Read(AdapterTensors tensors, LinearLayer layer) => throw new NotSupportedException($"{Name} has no adapters");

    /// <summary>The adapters that a file has for all targets, one for each in their order; to override where they share something.</summary>
    /// <exception cref="InputException">A tensor is missing or has another shape.</exception>
    public virtual IEnumerable<Adapter> Read(AdapterTensors tensors, IReadOnlyList<LinearLayer> layers) => layers.Select(layer => Read(tensors, layer));

    /// <summary>Writes its fields of adapter_config.json, what <see cref="ReadConfig"/> reads, into the object that is open.</summary>
    public virtual void WriteConfig(Utf8JsonWriter json, IReadOnlyList<Adapter> adapters)
    {
    }

    /// <summary>Tensors that belong to no layer alone, by their whole name in the file.</summary>
    public virtual IEnumerable<(string Name, Tensor Value)> SharedTensors(IReadOnlyList<Adapter> adapters) => [];

    /// <summary>A loss of the adapters, rank 0, that is added to the task's: the mean of theirs. Null for none.</summary>
    public virtual Tensor? Regulariser(IReadOnlyList<Adapter> adapters) => null;

    /// <summary>
    /// Share of the run in which the learning rate of <see cref="Adapter.RankValues"/> rises, where it has a warm-up of its own; null where it has the run's.
    /// </summary>
    public virtual double? RankWarmup => null;

    /// <summary>Called for each adapter after the optimiser's step, with that step's learning rate of <see cref="Adapter.RankValues"/> before its factor.</summary>
    public virtual void AfterStep(Adapter adapter, double learningRate)
    {
    }

    /// <summary>Factor of the learning rate of an adapter's parameter.</summary>
    public virtual double RateFactor(Adapter adapter, Parameter parameter) => 1;

    /// <summary>Whether weight decay is for an adapter's parameter: matrices, as a rule.</summary>
    public virtual bool Decays(Parameter parameter) => parameter.Value.Shape.Rank > 1;

    /// <summary>The settings in one line, for people.</summary>
    public string Description => Options.Count == 0 ? Title : $"{Title} {string.Join(", ", Options.Select(option => $"{option.Name} {option.TextOf(this)}"))}";
}
