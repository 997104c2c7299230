using System.Text.Json;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Optimizers;

namespace LoRA2.Native.Tensors.Tests.Optimizers;

/// <summary>The optimizers of index.json.</summary>
internal static class Optimizers
{
    public static Optimizer From(JsonElement run, IReadOnlyList<Parameter> parameters)
    {
        JsonElement options = run.GetProperty("options");
        double Number(string name, double otherwise) => options.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : otherwise;
        bool Flag(string name, bool otherwise = false) => options.TryGetProperty(name, out JsonElement value) ? value.GetBoolean() : otherwise;
        double Beta(int i, double otherwise) => options.TryGetProperty("betas", out JsonElement value) ? value[i].GetDouble() : otherwise;
        OptimizerGroup[] groups = [new(parameters)];
        string name = run.GetProperty("optimizer").GetString()!;
        return name[(name.LastIndexOf('.') + 1)..] switch
        {
            "SGD" => new Sgd(groups, Number("lr", 0), Number("momentum", 0), Number("dampening", 0), Number("weight_decay", 0), Flag("nesterov"), Flag("maximize")),
            "Adam" => new Adam(groups, Number("lr", 1e-3), Beta(0, 0.9), Beta(1, 0.999), Number("eps", 1e-8), Number("weight_decay", 0), Flag("amsgrad")),
            "AdamW" => new AdamW(groups, Number("lr", 1e-3), Beta(0, 0.9), Beta(1, 0.999), Number("eps", 1e-8), Number("weight_decay", 0.01), Flag("amsgrad")),
            "Adagrad" => new Adagrad(groups, Number("lr", 1e-2), Number("lr_decay", 0), Number("weight_decay", 0), Number("initial_accumulator_value", 0), Number("eps", 1e-10)),
            "Adadelta" => new Adadelta(groups, Number("lr", 1), Number("rho", 0.9), Number("eps", 1e-6), Number("weight_decay", 0)),
            "RMSprop" => new RmsProp(groups, Number("lr", 1e-2), Number("alpha", 0.99), Number("eps", 1e-8), Number("weight_decay", 0), Number("momentum", 0), Flag("centered")),
            "Adamax" => new Adamax(groups, Number("lr", 2e-3), Beta(0, 0.9), Beta(1, 0.999), Number("eps", 1e-8), Number("weight_decay", 0)),
            "NAdam" => new NAdam(groups, Number("lr", 2e-3), Beta(0, 0.9), Beta(1, 0.999), Number("eps", 1e-8), Number("weight_decay", 0), Number("momentum_decay", 4e-3)),
            "RAdam" => new RAdam(groups, Number("lr", 1e-3), Beta(0, 0.9), Beta(1, 0.999), Number("eps", 1e-8), Number("weight_decay", 0)),
            "Lion" => new Lion(groups, Number("lr", 1e-4), Beta(0, 0.9), Beta(1, 0.99), Number("weight_decay", 0)),
            "Adafactor" => new Adafactor(groups, new AdafactorOptions
            {
                LearningRate = Flag("relative_step", true) ? null : Number("lr", 0),
                ClipThreshold = Number("clip_threshold", 1),
                DecayRate = Number("decay_rate", -0.8),
                Beta1 = options.TryGetProperty("beta1", out JsonElement beta1) ? beta1.GetDouble() : null,
                WeightDecay = Number("weight_decay", 0),
                ScaleParameter = Flag("scale_parameter", true),
                WarmUp = Flag("warmup_init"),
            }),
            _ => throw new InvalidDataException($"there is no optimizer {name}"),
        };
    }
}
