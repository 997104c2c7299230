using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Serialization;

namespace LoRA2.Native.Cli.Tracing;

/// <summary>One batch out of a safetensors file, every number checked against the model.</summary>
/// <param name="Batch">Ids, mask and segments.</param>
/// <param name="Labels">[batch] Int32 classes or Float32 targets, or null.</param>
internal sealed record TraceInputs(EncoderBatch Batch, Tensor? Labels)
{
    /// <summary>Reads the file; the tensors belong to the current scope.</summary>
    /// <exception cref="InputException">A tensor is missing, or does not fit the others or the model.</exception>
    public static TraceInputs Read(string path, EncoderConfig config)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        SafetensorsEntry first = file.GetEntry("input_ids");
        if (first.Shape.Length != 2 || first.ElementCount == 0)
            throw new InputException($"{path}: tensor 'input_ids' has shape {first.ShapeText}; [batch, length], both at least 1, was expected");
        Tensor ids = Integers(file, "input_ids", first.ShapeText, 0, config.VocabularySize - 1)!;
        Tensor mask = Integers(file, "attention_mask", first.ShapeText, 0, 1) ?? Tensor.Full(ids.Shape, 1, DType.Int32);
        Tensor? types = Integers(file, "token_type_ids", first.ShapeText, 0, Math.Max(0, config.TypeVocabularySize - 1));
        int longest = config.LongestInput;
        if (ids.Shape[1] > longest) throw new InputException($"{path}: tensor 'input_ids' has {ids.Shape[1]} tokens a row; the model has {longest} positions");
        return new TraceInputs(new EncoderBatch(ids, mask, types), Targets(file, config, ids.Shape[0]));
    }

    private static Tensor? Targets(SafetensorsFile file, EncoderConfig config, int size)
    {
        if (!file.TryGetEntry("labels", out SafetensorsEntry? entry)) return null;
        if (config.Kind.Input == MetricInput.Tags) return Integers(file, "labels", file.GetEntry("input_ids").ShapeText, int.MinValue, config.Labels - 1);
        if (config.Kind.Input == MetricInput.Classes) return Integers(file, "labels", $"[{size}]", int.MinValue, config.Labels - 1);
        Tensor labels = SafetensorsTensor.Load(file, entry).To(DType.Float32);
        if (labels.Count != size * config.Labels) throw new InputException($"{file.Path}: tensor 'labels' has shape {entry.ShapeText}; {(config.Labels == 1 ? $"[{size}]" : $"[{size}, {config.Labels}]")} was expected");
        return config.Labels == 1 ? Ops.Reshape(labels, size) : Ops.Reshape(labels, size, config.Labels);
    }

    private static Tensor? Integers(SafetensorsFile file, string name, string shape, int least, int most)
    {
        if (!file.TryGetEntry(name, out SafetensorsEntry? entry)) return null;
        if (entry.ShapeText != shape) throw new InputException($"{file.Path}: tensor '{name}' has shape {entry.ShapeText}; {shape} was expected");
        if (entry.Type.IsLoadableFloat()) throw new InputException($"{file.Path}: tensor '{name}' has dtype {entry.Type.FormatName()}; I64 or I32 was expected");
        Tensor values = SafetensorsTensor.Load(file, entry);
        foreach (int value in values.AsSpan<int>())
        {
            if (value < least || value > most) throw new InputException($"{file.Path}: tensor '{name}' holds {value}; {(least == int.MinValue ? $"at most {most}" : $"{least} to {most}")} was expected");
        }

        return values;
    }
}
