using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tasks.Kinds;

/// <summary>Weights of classes in the loss, where kinds of tasks have them in common.</summary>
internal static class ClassWeightSettings
{
    private const string Field = "class_weights";

    public static TaskOption Option<TKind>(Func<TKind, ClassWeights, TKind> with)
        where TKind : TaskKind => new(
        "class-weights", "classification, multi-label: how much each label counts in the loss: balanced by how often each occurs, numbers in the labels' order, label=number, with commas between, or a JSON file [all alike]", "balanced|LIST|FILE",
        (kind, text) => ClassWeights.Parse(text) is { } weights ? with((TKind)kind, weights) : null, "balanced, numbers, label=number with commas between, or a JSON file of them can be");

    public static IReadOnlyList<double>? Read(ConfigFields fields, int labels)
    {
        IReadOnlyList<double> weights = fields.NumberList(Field, double.Epsilon, double.MaxValue);
        if (weights.Count == 0) return null;
        return weights.Count == labels ? weights : throw fields.Error($"{Field} has {weights.Count} entries; one for each of {labels} labels was expected");
    }

    public static void Write(Utf8JsonWriter json, IReadOnlyList<double>? weights)
    {
        if (weights is null) return;
        json.WriteStartArray(Field);
        foreach (double weight in weights) json.WriteNumberValue(weight);
        json.WriteEndArray();
    }

    /// <exception cref="InputException">The model is on another device.</exception>
    public static void RequireCpu(Tensor output)
    {
        if (output.Device != Device.Cpu) throw new InputException("a loss with class weights runs on the CPU only; leave out --device");
    }
}
