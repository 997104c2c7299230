using System.Text.Json.Serialization;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Hosting;
using LoRA2.Native.Hosting.Models;
using LoRA2.Native.Serving.Http;
using Microsoft.AspNetCore.Http;

namespace LoRA2.Native.Serving.Inference;

/// <summary>What a server is.</summary>
internal sealed record ServerInfo(
    string ModelId, string ModelDtype, ModelType ModelType, int MaxConcurrentRequests, int MaxInputLength, int MaxBatchTokens, int MaxBatchRequests, int MaxClientBatchSize, bool AutoTruncate,
    string[] Adapters, string Version);

/// <summary>What the model does; one of them, or both, is there.</summary>
internal sealed record ModelType
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EmbeddingModel? Embedding { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ClassifierModel? Classifier { get; init; }
}

/// <summary>It makes vectors.</summary>
internal sealed record EmbeddingModel(string Pooling, int Dimensions);

/// <summary>It classifies.</summary>
internal sealed record ClassifierModel(
    [property: JsonPropertyName("id2label")] IReadOnlyDictionary<string, string> IdToLabel, [property: JsonPropertyName("label2id")] IReadOnlyDictionary<string, int> LabelToId);

/// <summary>Whether a server takes calls.</summary>
internal sealed record HealthAnswer(string Status);

/// <summary><c>GET /info</c> and <c>GET /health</c>, as Text Embeddings Inference has them.</summary>
internal static class InfoRoute
{
    private static readonly string Version = typeof(InfoRoute).Assembly.GetName().Version?.ToString(3) ?? "";

    public static Task Info(HttpContext context, ModelEndpoint endpoint)
    {
        TextService service = endpoint.Service;
        using Tenant alone = service.Tenant(null);
        var type = new ModelType { Embedding = alone.Embeds is { } settings ? new EmbeddingModel(PoolingNames.NameOf(settings.Pooling), alone.Dimensions) : null, Classifier = ClassifierOf(alone.Task) };
        return JsonBody.Write(
            context,
            new ServerInfo(
                service.Name, service.Precision, type, service.MaxQueuedTexts, alone.MaxLength, service.Limits.BatchTokens, service.Limits.BatchItems,
                endpoint.Options.MaxTexts, endpoint.Options.Truncates, [.. service.Adapters], Version),
            ServerJson.Wire.ServerInfo);
    }

    public static Task Health(HttpContext context, ModelEndpoint endpoint)
    {
        bool isOpen = endpoint.Service.IsOpen;
        if (!isOpen) context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        return JsonBody.Write(context, new HealthAnswer(isOpen ? "ok" : "ending"), ServerJson.Wire.HealthAnswer);
    }

    private static ClassifierModel? ClassifierOf(TaskDescription? task)
    {
        if (task is null) return null;
        // What /predict calls the outputs, a number's among them.
        IReadOnlyList<string> names = task.LabelNames ?? [.. Enumerable.Range(0, task.Outputs).Select(static i => $"LABEL_{i}")];
        var numbers = new Dictionary<string, int>();
        for (int i = 0; i < names.Count; i++) numbers.TryAdd(names[i], i);
        return new ClassifierModel(names.Index().ToDictionary(static name => name.Index.ToString(System.Globalization.CultureInfo.InvariantCulture), static name => name.Item), numbers);
    }
}
