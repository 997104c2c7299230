using System.Diagnostics.Metrics;
using System.Text;
using LoRA2.Native.Hosting;
using LoRA2.Native.Serving;
using LoRA2.Native.Serving.Adapters;
using LoRA2.Native.Serving.Http;
using LoRA2.Native.Serving.Inference;
using LoRA2.Native.Serving.Metrics;
using LoRA2.Native.Serving.OpenAI;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.AspNetCore.Builder;

/// <summary>A model's routes as part of an ASP.NET Core app.</summary>
public static class LoRA2ServingExtensions
{
    /// <summary>Adds what the routes of <see cref="MapLoRA2"/> need beside <see cref="LoRA2ServiceCollectionExtensions.AddLoRA2(IServiceCollection, Action{LoRA2Options}?)"/>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="options">What is let in.</param>
    public static IServiceCollection AddLoRA2Routes(this IServiceCollection services, ServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        services.AddSingleton(options);
        services.AddSingleton(static provider => new PrometheusMetrics(provider.GetService<IMeterFactory>()));
        services.AddSingleton(static provider => new ModelEndpoint(provider.GetRequiredService<TextService>(), provider.GetRequiredService<ServerOptions>(), provider.GetRequiredService<ILogger<ModelEndpoint>>()));
        services.AddSingleton(static provider => new AdapterRoutes(provider.GetRequiredService<TextService>(), provider.GetRequiredService<ServerOptions>(), provider.GetRequiredService<ILogger<AdapterRoutes>>()));
        services.AddSingleton<IHostedService>(static provider => provider.GetRequiredService<AdapterRoutes>());
        return services;
    }

    /// <summary>Maps the routes: OpenAI's embeddings and models, Text Embeddings Inference's, the adapters', metrics, the OpenAPI document and the page.</summary>
    public static IEndpointRouteBuilder MapLoRA2(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        // It counts from here on. The others have the model, which is loaded when the host starts: a fault of it is the start's, not the mapping's.
        PrometheusMetrics metrics = routes.ServiceProvider.GetRequiredService<PrometheusMetrics>();
        void Map(string method, string path, Access access, Func<HttpContext, ModelEndpoint, Task> answer, Dialect dialect = Dialect.Inference) =>
            routes.MapMethods(path, [method], (RequestDelegate)(context => context.RequestServices.GetRequiredService<ModelEndpoint>().Handle(context, dialect, access, answer)));
        static AdapterRoutes Adapters(HttpContext context) => context.RequestServices.GetRequiredService<AdapterRoutes>();

        Map("POST", "/v1/embeddings", Access.Guarded, EmbeddingsRoute.Answer, Dialect.OpenAI);
        Map("GET", "/v1/models", Access.Guarded, ModelsRoute.List, Dialect.OpenAI);
        Map("GET", "/v1/models/{model}", Access.Guarded, ModelsRoute.One, Dialect.OpenAI);
        Map("POST", "/embed", Access.Guarded, EmbedRoute.Answer);
        Map("POST", "/predict", Access.Guarded, PredictRoute.Answer);
        Map("POST", "/rerank", Access.Guarded, RerankRoute.Answer);
        Map("POST", "/tokenize", Access.Guarded, TokenizeRoute.Answer);
        Map("GET", "/info", Access.Guarded, InfoRoute.Info);
        Map("GET", "/health", Access.Open, InfoRoute.Health);
        Map("GET", "/adapters", Access.Guarded, static (context, endpoint) => Adapters(context).List(context, endpoint));
        Map("PUT", "/adapters/{name}", Access.Administrative, static (context, endpoint) => Adapters(context).Put(context, endpoint));
        Map("DELETE", "/adapters/{name}", Access.Administrative, static (context, endpoint) => Adapters(context).Delete(context, endpoint));
        Map("GET", "/metrics", Access.Guarded, (context, _) => Send(context, "text/plain; version=0.0.4; charset=utf-8", Encoding.UTF8.GetBytes(metrics.Text())));
        Map("GET", "/openapi.json", Access.Open, static (context, _) => Send(context, "application/json", Resource("openapi.json")));
        Map("GET", "/", Access.Open, static (context, _) =>
        {
            // The page loads nothing, and nothing may load it.
            context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return Send(context, "text/html; charset=utf-8", Resource("page.html"));
        });
        return routes;
    }

    private static byte[] Resource(string name)
    {
        using Stream stream = typeof(LoRA2ServingExtensions).Assembly.GetManifestResourceStream(name)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static Task Send(HttpContext context, string type, byte[] body)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
