using System.Text;
using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Serialization;

namespace LoRA2.Native.Training;

/// <summary>
/// A run in one safetensors file: parameters, moments, importance averages, the series and the best weights as tensors, the rest as JSON in the metadata. It is
/// written whole, with a checksum, and read back before it takes the place of the checkpoint before, so that a process killed while writing leaves that one.
/// </summary>
internal static class Checkpoint
{
    private const string StateKey = "lora2_training_state";
    private const string RunKey = "lora2_training_run";
    private const string PredictionsName = "predictions/best";

    public static void Save(
        string path, RunFingerprint run, SequenceClassifier model, AdamWOptimizer optimizer, RankAllocator? allocator, TrainingState state)
    {
        using var scope = new TensorScope();
        var writer = new SafetensorsWriter(new Dictionary<string, string> { ["format"] = "pt", [RunKey] = run.ToString(), [StateKey] = StateJson(optimizer, allocator, state) });
        foreach ((string name, Tensor values) in Tensors(model, optimizer, allocator)) writer.Add(name, values);
        state.Series.Save(writer);
        if (state.Best is { } best)
        {
            writer.Add(PredictionsName, Tensor.From(best.Predictions, [best.Predictions.Length]));
            foreach ((string name, Tensor values) in best.Values) writer.Add($"best/{name}", values);
        }

        writer.WriteChecked(path);
    }

    public static void Load(
        string path, RunFingerprint run, SequenceClassifier model, AdamWOptimizer optimizer, RankAllocator? allocator, TrainingState state)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (!file.Metadata.TryGetValue(RunKey, out string? stored) || !file.Metadata.TryGetValue(StateKey, out string? json))
            throw new InputException($"{path}: not a training checkpoint");
        file.RequireChecksum();
        if (run.DifferenceFrom(RunFingerprint.Parse(stored)) is { } difference) throw new InputException($"{path}: the checkpoint belongs to a run {difference}");
        using var scope = new TensorScope();
        foreach ((string name, Tensor values) in Tensors(model, optimizer, allocator)) values.CopyFrom(Read(file, name, values.Shape));
        int bestStep;
        try
        {
            bestStep = ReadState(json, allocator, state);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InputException($"{path}: the training state in the metadata is damaged: {e.Message}", e);
        }

        state.Series.Load(file, state.Step);
        optimizer.Steps = state.Step;
        if (bestStep < 0) return;
        state.Best?.Dispose();
        state.Best = new WeightSnapshot(bestStep, model.Parameters.Where(parameter => parameter.IsTrainable).ToDictionary(
            parameter => parameter.Name, parameter => scope.Detach(Read(file, $"best/{parameter.Name}", parameter.Value.Shape))), Predictions(file));
    }

    /// <summary>Returns the step of the best weights, −1 for none.</summary>
    private static int ReadState(string json, RankAllocator? allocator, TrainingState state)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        state.Step = root.GetProperty("step").GetInt32();
        state.LastLoss = root.GetProperty("last_loss").GetDouble();
        state.LossSum = root.GetProperty("loss_sum").GetDouble();
        state.LossCount = root.GetProperty("loss_count").GetInt32();
        state.StoppedEarly = root.GetProperty("stopped_early").GetBoolean();
        state.History.Clear();
        state.History.AddRange(TrainingJson.ReadHistory(root.GetProperty("history")));
        if (allocator is not null) allocator.Mask = root.GetProperty("mask").GetString();
        return root.GetProperty("best_step").GetInt32();
    }

    private static IEnumerable<(string Name, Tensor Values)> Tensors(SequenceClassifier model, AdamWOptimizer optimizer, RankAllocator? allocator)
    {
        foreach (Parameter parameter in model.Parameters.Where(parameter => parameter.IsTrainable)) yield return ($"parameter/{parameter.Name}", parameter.Value);
        foreach ((string name, Tensor values) in optimizer.State) yield return ($"optimizer/{name}", values);
        foreach ((string name, Tensor values) in allocator?.State ?? []) yield return ($"importance/{name}", values);
    }

    private static Tensor Read(SafetensorsFile file, string name, Shape shape)
    {
        if (!file.TryGetEntry(name, out SafetensorsEntry? entry)) throw new InputException($"{file.Path}: tensor '{name}' {shape} is missing");
        Tensor value = SafetensorsTensor.LoadFloats(file, entry);
        return value.Shape == shape ? value : throw new InputException($"{file.Path}: tensor '{name}' has shape {value.Shape}; {shape} was expected");
    }

    private static float[] Predictions(SafetensorsFile file)
    {
        SafetensorsEntry entry = file.GetEntry(PredictionsName);
        float[] values = new float[entry.ElementCount];
        file.ReadFloat32(entry, values);
        return values;
    }

    private static string StateJson(AdamWOptimizer optimizer, RankAllocator? allocator, TrainingState state)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("step", optimizer.Steps);
            json.WriteNumber("last_loss", double.IsFinite(state.LastLoss) ? state.LastLoss : 0);
            json.WriteNumber("loss_sum", state.LossSum);
            json.WriteNumber("loss_count", state.LossCount);
            json.WriteBoolean("stopped_early", state.StoppedEarly);
            json.WriteString("mask", allocator?.Mask);
            json.WriteNumber("best_step", state.Best?.Step ?? -1);
            json.WritePropertyName("history");
            TrainingJson.Write(json, state.History);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
