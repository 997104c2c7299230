using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Hosting;
using LoRA2.Native.Inference;
using LoRA2.Native.Serving.Http;
using Microsoft.AspNetCore.Http;

namespace LoRA2.Native.Serving.Inference;

/// <summary>What is to be classified: a text, a pair [text, text], or a batch of them [[text], [text, text], …].</summary>
internal sealed record PredictRequest(JsonElement? Inputs, bool? RawScores, bool? Truncate, string? TruncationDirection, string? Adapter, string? Model);

/// <summary>How likely a label is, or a number.</summary>
internal sealed record LabelScore(double Score, string Label);

/// <summary><c>POST /predict</c>, as Text Embeddings Inference has it: every label with its score, the highest first; for regression the number.</summary>
internal static class PredictRoute
{
    private const string Expected = "a string, a pair of strings, or a batch [[string], [string, string], …] was expected";

    public static async Task Answer(HttpContext context, ModelEndpoint endpoint)
    {
        PredictRequest request = await JsonBody.Read(context, ServerJson.Wire.PredictRequest);
        (Example[] examples, bool isBatch) = Examples(request.Inputs);
        endpoint.RequireTexts(examples.Length, "inputs");
        string? adapter = endpoint.AdapterOf(request.Adapter, request.Model);
        (TaskDescription task, IReadOnlyList<Prediction> answers) = await endpoint.Service.AnswerAsync(examples, new TextRequest { Adapter = adapter, Truncates = TextInputs.Cuts(request.Truncate, request.TruncationDirection, endpoint.Options) }, context.RequestAborted);
        ModelEndpoint.Count(context, answers.Sum(static answer => (long)answer.Tokens), answers.Count(static answer => answer.IsCut));
        LabelScore[][] scores = [.. answers.Select(answer => Scores(answer, task.LabelNames, request.RawScores ?? false))];
        if (isBatch) await JsonBody.Write(context, scores, ServerJson.Wire.LabelScoreArrayArray);
        else await JsonBody.Write(context, scores[0], ServerJson.Wire.LabelScoreArray);
    }

    private static LabelScore[] Scores(Prediction answer, IReadOnlyList<string>? names, bool isRaw)
    {
        IEnumerable<double> scores = isRaw || answer.Probabilities is null ? answer.Logits.Select(static logit => (double)logit) : answer.Probabilities;
        return [.. scores.Select((score, i) => new LabelScore(score, names?[i] ?? $"LABEL_{i}")).OrderByDescending(static label => label.Score)];
    }

    private static (Example[] Examples, bool IsBatch) Examples(JsonElement? inputs)
    {
        if (inputs is not { } value || value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) throw TextInputs.Wrong($"`inputs` is missing; {Expected}");
        if (value.ValueKind == JsonValueKind.String) return ([new Example(TextInputs.Text(value))], false);
        if (value.ValueKind != JsonValueKind.Array) throw TextInputs.Wrong($"`inputs` is neither text nor array; {Expected}");
        JsonElement first = value.EnumerateArray().FirstOrDefault();
        return first.ValueKind == JsonValueKind.Array ? ([.. value.EnumerateArray().Select(Sequence)], true) : first.ValueKind == JsonValueKind.Undefined ? ([], true) : ([Sequence(value)], false);
    }

    private static Example Sequence(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Array || element.GetArrayLength() is not (1 or 2) || element.EnumerateArray().Any(static text => text.ValueKind != JsonValueKind.String))
            throw TextInputs.Wrong($"an entry of `inputs` is not one text or two; {Expected}");
        return new Example(TextInputs.Text(element[0]), element.GetArrayLength() == 2 ? TextInputs.Text(element[1]) : null);
    }
}
