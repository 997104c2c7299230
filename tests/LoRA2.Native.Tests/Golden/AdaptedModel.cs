using System.Text.Json;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Tests.Golden;

/// <summary>A base model with an adapter of a trace on it, the classifier trained as PEFT does it, and the inputs of the trace.</summary>
internal sealed class AdaptedModel : IDisposable
{
    private readonly TraceFile inputs;

    private AdaptedModel(string baseFamily)
    {
        Model = GoldenModel.Load(baseFamily);
        inputs = new TraceFile(GoldenTraces.At(baseFamily, "inputs.safetensors"));
        Batch = GoldenModel.Batch(inputs);
        Labels = inputs.Tensor("labels");
    }

    public SequenceClassifier Model { get; }

    public EncoderBatch Batch { get; }

    public Tensor Labels { get; }

    /// <summary>What the adapter's config says.</summary>
    public AdapterSettings? Settings { get; private set; }

    public IEnumerable<LoRA2Adapter> LoRA2Adapters => Model.Adapters().OfType<LoRA2Adapter>();

    public IEnumerable<AdaLoRAAdapter> AdaLoRAAdapters => Model.Adapters().OfType<AdaLoRAAdapter>();

    /// <summary>The adapter that PEFT saved.</summary>
    public static AdaptedModel WithLoRA(string family)
    {
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(GoldenTraces.At(family, "adapter_config.json")));
        var adapted = new AdaptedModel(GoldenTraces.BaseOf(family, config.RootElement.GetProperty("base_model_name_or_path").GetString()!));
        adapted.Settings = AdapterFolder.Load(adapted.Model, GoldenTraces.At(family));
        using var weights = new TraceFile(GoldenTraces.At(family, AdapterFolder.WeightsFile));
        Assert.Equal(weights.Names.Count(), adapted.Trained.Count);
        return adapted.Moved();
    }

    /// <summary>The factors that a run starts with.</summary>
    public static AdaptedModel WithLoRA2(string family, JsonElement trajectory)
    {
        var adapted = new AdaptedModel(GoldenTraces.BaseOf(family, trajectory.GetProperty("base").GetString()!));
        adapted.Model.FreezeBase();
        adapted.Model.TrainHead(HeadTraining.Classifier);
        double alpha = trajectory.GetProperty("alpha").GetDouble();
        int rank = trajectory.GetProperty("r").GetInt32();
        using var weights = new TraceFile(GoldenTraces.At(family, "init.safetensors"));
        foreach (LinearLayer layer in adapted.Model.AdaptableLayers)
        {
            Tensor Part(string part) => weights.Tensor($"{layer.Name}.{part}");
            if (!weights.Has($"{layer.Name}.lam")) continue;
            var factors = new LoRA2Factors(Part("u"), Part("v"), Part("lam"), Part("U"), Part("V"));
            Assert.Equal(rank, factors.Rank);
            Assert.Equal(trajectory.GetProperty("k").GetInt32(), factors.OuterRank);
            layer.Adapter = new LoRA2Adapter(layer.Name, factors, alpha, rank);
        }

        foreach (Parameter parameter in adapted.Model.BaseParameters.Where(parameter => parameter.IsTrainable)) parameter.Replace(weights.Tensor(parameter.Name));
        Assert.Equal(weights.Names.Order(StringComparer.Ordinal), adapted.Trained.Keys.Order(StringComparer.Ordinal));
        return adapted.Moved();
    }

    /// <summary>The factors that an AdaLoRA run starts with, under PEFT's names in memory.</summary>
    public static AdaptedModel WithAdaLoRA(string family, JsonElement trajectory, TraceFile snapshots)
    {
        var adapted = new AdaptedModel(GoldenTraces.BaseOf(family, trajectory.GetProperty("base").GetString()!));
        adapted.Model.FreezeBase();
        adapted.Model.TrainHead(HeadTraining.Classifier);
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(GoldenTraces.At(family, "saved", AdapterFolder.ConfigFile)));
        double alpha = config.RootElement.GetProperty("lora_alpha").GetDouble();
        int rank = config.RootElement.GetProperty("init_r").GetInt32();
        foreach (LinearLayer layer in adapted.Model.AdaptableLayers)
        {
            Tensor Part(string part) => snapshots.Tensor($"init/base_model.model.{layer.Name}.{part}.default");
            if (!snapshots.Has($"init/base_model.model.{layer.Name}.lora_E.default")) continue;
            layer.Adapter = new AdaLoRAAdapter(layer.Name, Part("lora_A"), Part("lora_E"), Part("lora_B"), alpha / (rank + 1e-5));
        }

        foreach (Parameter parameter in adapted.Model.BaseParameters.Where(parameter => parameter.IsTrainable))
            parameter.Replace(snapshots.Tensor($"init/{GradientName.Of(parameter.Name, new AdaLoRAMethod(), adapted.Model.Head)}"));
        return adapted.Moved();
    }

    /// <summary>The trained parameters by name.</summary>
    public IReadOnlyDictionary<string, Parameter> Trained => Model.Parameters.Where(parameter => parameter.IsTrainable).ToDictionary(parameter => parameter.Name);

    /// <summary>The loss whose gradient a LoRA2 trace has: the task's plus gamma times the mean regulariser.</summary>
    public (Tensor Total, Tensor Task, Tensor Regulariser) Loss(EncoderBatch batch, Tensor labels, double gamma, OrthogonalityKind kind)
    {
        Tensor task = Model.Loss(Model.Forward(batch, ForwardContext.Inference), labels);
        Tensor regulariser = Regulariser(kind);
        return (Ops.Add(task, Ops.Scale(regulariser, gamma)), task, regulariser);
    }

    /// <summary>The mean R over the adapters.</summary>
    public Tensor Regulariser(OrthogonalityKind kind) => Ops.LoRA2Orthogonality([.. LoRA2Adapters.Select(adapter => adapter.Factors)], kind);

    public void Dispose()
    {
        inputs.Dispose();
        Model.Dispose();
    }

    /// <summary>What was put on the model after it was loaded follows it to its device.</summary>
    private AdaptedModel Moved()
    {
        Model.MoveTo(Model.Device);
        return this;
    }
}
