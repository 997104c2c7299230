using System.Text.Json;
using System.Text.Json.Serialization;
using LoRA2.Native.Serving.Adapters;
using LoRA2.Native.Serving.Inference;
using LoRA2.Native.Serving.OpenAI;

namespace LoRA2.Native.Serving.Http;

/// <summary>An error for clients of Text Embeddings Inference.</summary>
internal sealed record ErrorBody(string Error, string ErrorType);

/// <summary>An error for clients of OpenAI.</summary>
internal sealed record OpenAIErrorBody(OpenAIError Error);

/// <summary>What OpenAI says of an error.</summary>
internal sealed record OpenAIError(string Message, string Type, string? Param, string? Code);

/// <summary>All that goes over the wire, with code made by the compiler.</summary>
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(OpenAIErrorBody))]
[JsonSerializable(typeof(EmbeddingsRequest))]
[JsonSerializable(typeof(EmbeddingsAnswer))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(ModelEntry))]
[JsonSerializable(typeof(EmbedRequest))]
[JsonSerializable(typeof(PredictRequest))]
[JsonSerializable(typeof(RerankRequest))]
[JsonSerializable(typeof(TokenizeRequest))]
[JsonSerializable(typeof(float[][]))]
[JsonSerializable(typeof(LabelScore[]))]
[JsonSerializable(typeof(LabelScore[][]))]
[JsonSerializable(typeof(RankEntry[]))]
[JsonSerializable(typeof(TokenEntry[][]))]
[JsonSerializable(typeof(ServerInfo))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(AdapterEntry))]
[JsonSerializable(typeof(AdapterEntry[]))]
internal sealed partial class ServerJson : JsonSerializerContext
{
    /// <summary>Names as Python's clients have them. Quotes in sentences stay readable: what is sent is JSON, not part of a page.</summary>
    public static ServerJson Wire { get; } = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
