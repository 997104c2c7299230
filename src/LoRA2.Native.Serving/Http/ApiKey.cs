using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace LoRA2.Native.Serving.Http;

/// <summary>The key of a server. How long a comparison takes says nothing of the key, nor of its length: hashes are compared, whole.</summary>
internal sealed class ApiKey(string? key)
{
    private const string Scheme = "Bearer ";
    private readonly byte[]? hash = string.IsNullOrEmpty(key) ? null : SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>Whether there is one.</summary>
    public bool IsSet => hash is not null;

    /// <summary>Refuses a request without it.</summary>
    /// <exception cref="ServerException">The key is missing or another.</exception>
    public void Require(HttpRequest request)
    {
        if (hash is null) return;
        StringValues header = request.Headers.Authorization;
        string given = header.Count == 1 && header[0] is { } value && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? value[Scheme.Length..].Trim() : "";
        if (CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), hash)) return;
        throw new ServerException(StatusCodes.Status401Unauthorized, given.Length == 0 ? "this server wants a key, as the header Authorization: Bearer KEY" : "the key is not this server's");
    }
}
