using LoRA2.Native.Data;
using LoRA2.Native.Hosting;
using LoRA2.Native.Inference;
using LoRA2.Native.Serving.Http;
using Microsoft.AspNetCore.Http;

namespace LoRA2.Native.Serving.Inference;

/// <summary>A query, and the texts to order by how well they fit it.</summary>
internal sealed record RerankRequest(string? Query, string?[]? Texts, bool? RawScores, bool? ReturnText, bool? Truncate, string? TruncationDirection, string? Adapter, string? Model);

/// <summary>How well one fits.</summary>
internal sealed record RankEntry(
    int Index, [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] string? Text, double Score);

/// <summary><c>POST /rerank</c>, as Text Embeddings Inference has it: scores from 0 to 1, the highest first; raw ones are the head's outputs.</summary>
internal static class RerankRoute
{
    public static async Task Answer(HttpContext context, ModelEndpoint endpoint)
    {
        RerankRequest request = await JsonBody.Read(context, ServerJson.Wire.RerankRequest);
        if (request.Query is not { } query) throw TextInputs.Wrong("`query` is missing; a string was expected");
        if (request.Texts is not { } given) throw TextInputs.Wrong("`texts` is missing; strings were expected");
        endpoint.RequireTexts(given.Length, "texts");
        string[] texts = [.. given.Select(static text => text ?? throw TextInputs.Wrong("`texts` has a null; strings were expected"))];
        bool isRaw = request.RawScores ?? false;
        var asked = new TextRequest { Adapter = endpoint.AdapterOf(request.Adapter, request.Model), Truncates = TextInputs.Cuts(request.Truncate, request.TruncationDirection, endpoint.Options) };
        IReadOnlyList<Prediction> answers = await endpoint.Service.FitAsync(query, texts, asked, context.RequestAborted);
        ModelEndpoint.Count(context, answers.Sum(static answer => (long)answer.Tokens), answers.Count(static answer => answer.IsCut));
        RankEntry[] ranks = [.. answers.Select((answer, i) => new RankEntry(i, request.ReturnText ?? false ? texts[i] : null, Score(answer, isRaw))).OrderByDescending(static rank => rank.Score)];
        await JsonBody.Write(context, ranks, ServerJson.Wire.RankEntryArray);
    }

    private static double Score(Prediction answer, bool isRaw) =>
        isRaw ? answer.Logits[^1] : answer.Probabilities is { Count: 2 } classes ? classes[1] : 1 / (1 + Math.Exp(-answer.Logits[0]));
}
