using LoRA2.Native.Hosting.Models;
using LoRA2.Native.Hosting.Queueing;
using Microsoft.AspNetCore.Http;

namespace LoRA2.Native.Serving.Http;

/// <summary>Who a route's errors are for.</summary>
internal enum Dialect
{
    /// <summary>Clients of Text Embeddings Inference: <c>{"error": …, "error_type": …}</c>.</summary>
    Inference,

    /// <summary>Clients of OpenAI: <c>{"error": {"message": …, "type": …, "param": …, "code": …}}</c>.</summary>
    OpenAI,
}

/// <summary>An exception as an answer.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Type">Text Embeddings Inference's <c>error_type</c>.</param>
/// <param name="OpenAIType">OpenAI's <c>type</c>.</param>
/// <param name="Code">OpenAI's <c>code</c>, or null.</param>
/// <param name="RetryAfter">When to come back, or null.</param>
internal sealed record HttpError(int Status, string Message, string Type, string OpenAIType, string? Code = null, TimeSpan? RetryAfter = null)
{
    private const string Invalid = "invalid_request_error";

    /// <summary>Whether it is the server's fault, and has to be logged.</summary>
    public bool IsFault => Status == StatusCodes.Status500InternalServerError;

    public static HttpError Of(Exception e, Dialect dialect)
    {
        bool isOpenAI = dialect == Dialect.OpenAI;
        int invalid = isOpenAI ? StatusCodes.Status400BadRequest : StatusCodes.Status422UnprocessableEntity;
        return e switch
        {
            ServerException { Status: StatusCodes.Status401Unauthorized } known => new(known.Status, known.Message, "validation", Invalid, "invalid_api_key"),
            ServerException { Status: StatusCodes.Status422UnprocessableEntity } known => new(invalid, known.Message, "validation", Invalid),
            ServerException { Status: >= StatusCodes.Status500InternalServerError } known => new(known.Status, known.Message, "backend", "server_error"),
            ServerException known => new(known.Status, known.Message, "validation", Invalid),
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => new(StatusCodes.Status413PayloadTooLarge, "the request's body is larger than the server takes", "validation", Invalid),
            BadHttpRequestException bad => new(bad.StatusCode, "the request is not valid HTTP", "validation", Invalid),
            UnknownAdapterException unknown => new(StatusCodes.Status404NotFound, unknown.Message, "validation", Invalid, "model_not_found"),
            NotSupportedException unsupported => new(isOpenAI ? StatusCodes.Status400BadRequest : StatusCodes.Status424FailedDependency, unsupported.Message, "backend", Invalid),
            TextTooLongException tooLong => new(isOpenAI ? StatusCodes.Status400BadRequest : StatusCodes.Status413PayloadTooLarge, tooLong.Message, "validation", Invalid, "context_length_exceeded"),
            QueueFullException full => new(StatusCodes.Status429TooManyRequests, full.Message, "overloaded", "rate_limit_error", "rate_limit_exceeded", full.RetryAfter),
            TimeoutException late => new(StatusCodes.Status503ServiceUnavailable, late.Message, "overloaded", "server_error", null, TimeSpan.FromSeconds(1)),
            ObjectDisposedException => new(StatusCodes.Status503ServiceUnavailable, "the server is ending", "unhealthy", "server_error"),
            ArgumentException => new(invalid, e.Message, "validation", Invalid),
            // Among them InputException: what is wrong then is a file of the server's, whose path is the log's alone.
            _ => new(StatusCodes.Status500InternalServerError, "the server failed; its log says how", "backend", "server_error"),
        };
    }
}
