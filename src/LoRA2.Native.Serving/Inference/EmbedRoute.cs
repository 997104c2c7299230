using System.Text.Json;
using LoRA2.Native.Hosting;
using LoRA2.Native.Inference;
using LoRA2.Native.Serving.Http;
using Microsoft.AspNetCore.Http;

namespace LoRA2.Native.Serving.Inference;

/// <summary>What is to become vectors.</summary>
internal sealed record EmbedRequest(JsonElement? Inputs, bool? Normalize, bool? Truncate, string? TruncationDirection, string? PromptName, int? Dimensions, string? Adapter, string? Model);

/// <summary><c>POST /embed</c>, as Text Embeddings Inference has it.</summary>
internal static class EmbedRoute
{
    public static async Task Answer(HttpContext context, ModelEndpoint endpoint)
    {
        EmbedRequest request = await JsonBody.Read(context, ServerJson.Wire.EmbedRequest);
        TextInputs inputs = TextInputs.Of(request.Inputs, "inputs");
        endpoint.RequireTexts(inputs.Count, "inputs");
        var asked = new TextRequest
        {
            Adapter = endpoint.AdapterOf(request.Adapter, request.Model),
            Prompt = request.PromptName,
            Dimensions = request.Dimensions,
            Normalises = request.Normalize ?? true,
            Truncates = TextInputs.Cuts(request.Truncate, request.TruncationDirection, endpoint.Options),
        };
        IReadOnlyList<TextVector> vectors = inputs.Texts is { } texts
            ? await endpoint.Service.EmbedAsync(texts, asked, context.RequestAborted)
            : await endpoint.Service.EmbedAsync(inputs.Tokens!, asked, context.RequestAborted);
        ModelEndpoint.Count(context, vectors.Sum(static vector => (long)vector.Tokens), vectors.Count(static vector => vector.IsCut));
        await JsonBody.Write(context, [.. vectors.Select(static vector => vector.Values)], ServerJson.Wire.SingleArrayArray);
    }
}
