using System.Globalization;
using LoRA2.Native.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LoRA2.Native.Serving.Http;

/// <summary>Who may call a route.</summary>
internal enum Access
{
    /// <summary>Anybody.</summary>
    Open,

    /// <summary>Who has the key, where the server has one.</summary>
    Guarded,

    /// <summary>Who has the key; nobody where the server has none.</summary>
    Administrative,
}

/// <summary>What all routes share: the service, the limits, the key, and how an exception becomes an answer.</summary>
internal sealed partial class ModelEndpoint(TextService service, ServerOptions options, ILogger<ModelEndpoint> logger)
{
    private readonly ApiKey key = new(options.ApiKey);

    public TextService Service { get; } = service;

    public ServerOptions Options { get; } = options;

    /// <summary>Answers a request by a route's handler, with all that.</summary>
    public async Task Handle(HttpContext context, Dialect dialect, Access access, Func<HttpContext, ModelEndpoint, Task> handler)
    {
        try
        {
            if (access != Access.Open) key.Require(context.Request);
            if (access == Access.Administrative && !key.IsSet)
                throw new ServerException(StatusCodes.Status403Forbidden, "this server has no key, so nobody may change its adapters: start it with --api-key-file, or the environment variable LORA2_API_KEY");
            await handler(context, this);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
            if (!context.Response.HasStarted) context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await Refuse(context, dialect, e);
        }
    }

    /// <summary>Who answers for a request's <c>adapter</c> and <c>model</c>: an adapter's name, or null for the model alone.</summary>
    /// <exception cref="ServerException">Both were given and differ.</exception>
    public string? AdapterOf(string? adapter, string? model)
    {
        string? named = model == Service.Name ? null : model;
        if (adapter is not null && named is not null && adapter != named) throw new ServerException(StatusCodes.Status422UnprocessableEntity, "`adapter` and `model` name different adapters; give one of them");
        return adapter == Service.Name ? named : adapter ?? named;
    }

    /// <summary>Refuses more texts than a request may bring.</summary>
    /// <exception cref="ServerException">There are more, or none.</exception>
    public void RequireTexts(int count, string field)
    {
        if (count == 0) throw new ServerException(StatusCodes.Status422UnprocessableEntity, $"`{field}` is empty; at least one text was expected");
        if (count > Options.MaxTexts) throw new ServerException(StatusCodes.Status413PayloadTooLarge, $"`{field}` has {count:N0} texts; a request may bring {Options.MaxTexts:N0}");
    }

    /// <summary>Says how many tokens a request's texts had, as Text Embeddings Inference does, and how many of them were cut.</summary>
    public static void Count(HttpContext context, long tokens, int cut)
    {
        context.Response.Headers["x-compute-tokens"] = tokens.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["x-cut-texts"] = cut.ToString(CultureInfo.InvariantCulture);
    }

    [LoggerMessage(20, LogLevel.Error, "{Method} {Path} failed")]
    private static partial void Failed(ILogger logger, Exception e, string method, string path);

    private async Task Refuse(HttpContext context, Dialect dialect, Exception e)
    {
        HttpError error = HttpError.Of(e, dialect);
        if (error.IsFault) Failed(logger, e, context.Request.Method, context.Request.Path);
        context.Response.Clear();
        context.Response.StatusCode = error.Status;
        if (error.RetryAfter is { } wait) context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (error.Status == StatusCodes.Status401Unauthorized) context.Response.Headers.WWWAuthenticate = "Bearer";
        if (dialect == Dialect.OpenAI) await JsonBody.Write(context, new OpenAIErrorBody(new OpenAIError(error.Message, error.OpenAIType, null, error.Code)), ServerJson.Wire.OpenAIErrorBody);
        else await JsonBody.Write(context, new ErrorBody(error.Message, error.Type), ServerJson.Wire.ErrorBody);
    }
}
