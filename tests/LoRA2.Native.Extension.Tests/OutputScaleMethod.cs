using System.Text.Json;
using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Extension.Tests;

/// <summary>An adapter method: the outputs of a layer, before its bias, times a trained vector, as (IA)³ has it (arXiv 2205.05638).</summary>
public sealed record OutputScaleMethod : AdapterMethod
{
    private static readonly IReadOnlyList<MethodOption> OwnOptions =
        [MethodOption.Real<OutputScaleMethod>("start", "what the outputs are multiplied by at first", method => method.Start, (method, value) => method with { Start = value }, -10, 10)];

    /// <summary>The vector's values at the start.</summary>
    public double Start { get; init; } = 1;

    public override string Name => "output-scale";

    public override string Title => "Output scale";

    public override string? PeftType => "OUTPUT_SCALE";

    public override double DefaultLearningRate => 1e-2;

    public override IReadOnlyList<MethodOption> Options => OwnOptions;

    public override Adapter Create(LinearLayer layer, Philox random) => new OutputScaleAdapter(layer.Name, Tensor.Full([layer.Outputs], Start));

    public override Adapter Read(AdapterTensors tensors, LinearLayer layer) => new OutputScaleAdapter(layer.Name, tensors.Part(layer, "scale", [layer.Outputs]));

    public override AdapterMethod ReadConfig(ConfigFields fields) => this with { Start = fields.Number("start", 1, -10, 10) };

    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<Adapter> adapters) => json.WriteNumber("start", Start);
}

/// <summary>The vector of one layer.</summary>
public sealed class OutputScaleAdapter : Adapter
{
    private readonly Parameter scale;

    public OutputScaleAdapter(string module, Tensor scale)
        : base(module) => this.scale = Trained("scale", scale);

    public override IReadOnlyList<Parameter> Parameters => [scale];

    public override int EffectiveRank => scale.Count;

    public override Tensor Forward(Tensor x, Tensor weight, Tensor? bias, Activation activation = Activation.None)
    {
        Tensor scaled = Ops.Multiply(Ops.Linear(x, weight), scale.Value);
        return Ops.Activate(bias is null ? scaled : Ops.Add(scaled, bias), activation);
    }

    public override Tensor Merged(Tensor weight) => Ops.Multiply(weight, Ops.Reshape(scale.Value, scale.Count, 1));

    public override IEnumerable<(string Suffix, Tensor Value)> ToPeft() => [("scale", scale.Value)];
}
