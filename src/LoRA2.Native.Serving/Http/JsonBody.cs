using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace LoRA2.Native.Serving.Http;

/// <summary>Bodies of requests and answers.</summary>
internal static class JsonBody
{
    /// <summary>Reads a request's body.</summary>
    /// <exception cref="ServerException">It is not JSON, or not of this shape.</exception>
    public static async Task<T> Read<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        if (!context.Request.HasJsonContentType()) throw new ServerException(StatusCodes.Status415UnsupportedMediaType, "the body was expected to be JSON, with the header Content-Type: application/json");
        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted)
                ?? throw new ServerException(StatusCodes.Status422UnprocessableEntity, "the body is null; a JSON object was expected");
        }
        catch (JsonException e)
        {
            throw new ServerException(StatusCodes.Status422UnprocessableEntity, Sentence(e));
        }
        catch (InvalidOperationException)
        {
            throw new ServerException(StatusCodes.Status422UnprocessableEntity, "the body has a string that is not valid Unicode; JSON in UTF-8 was expected");
        }
    }

    /// <summary>Writes an answer; its length is known before its first byte.</summary>
    public static async Task Write<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static string Sentence(JsonException e)
    {
        string place = e.LineNumber is { } line ? $" (line {line + 1}, byte {(e.BytePositionInLine ?? 0) + 1})" : "";
        return e.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal)
            ? $"`{path[2..]}` is not of the kind that was expected{place}"
            : $"the body is not the JSON object that was expected{place}";
    }
}
