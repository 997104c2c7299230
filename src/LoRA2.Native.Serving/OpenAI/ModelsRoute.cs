using LoRA2.Native.Hosting;
using LoRA2.Native.Hosting.Models;
using LoRA2.Native.Serving.Http;
using Microsoft.AspNetCore.Http;

namespace LoRA2.Native.Serving.OpenAI;

/// <summary>The model and its adapters.</summary>
internal sealed record ModelList(string Object, ModelEntry[] Data);

/// <summary>One of them.</summary>
internal sealed record ModelEntry(string Id, string Object, long Created, string OwnedBy);

/// <summary><c>GET /v1/models</c> and <c>GET /v1/models/{model}</c>, as OpenAI has them: adapters are models.</summary>
internal static class ModelsRoute
{
    private static readonly long Started = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    public static Task List(HttpContext context, ModelEndpoint endpoint)
    {
        TextService service = endpoint.Service;
        return JsonBody.Write(context, new ModelList("list", [Entry(service.Name), .. service.Adapters.Select(Entry)]), ServerJson.Wire.ModelList);
    }

    public static Task One(HttpContext context, ModelEndpoint endpoint)
    {
        string name = (string)context.Request.RouteValues["model"]!;
        if (name != endpoint.Service.Name && !endpoint.Service.Adapters.Contains(name)) throw new UnknownAdapterException(name, $"there is no model '{Files.Quote.Plain(name)}'");
        return JsonBody.Write(context, Entry(name), ServerJson.Wire.ModelEntry);
    }

    private static ModelEntry Entry(string name) => new(name, "model", Started, "lora2");
}
