namespace LoRA2.Native.Serving;

/// <summary>What a server lets in.</summary>
public sealed class ServerOptions
{
    /// <summary>
    /// The key that every call but those for the page, the OpenAPI document and the health has to bring as <c>Authorization: Bearer KEY</c>; null for none. Without a key nobody can add or
    /// remove adapters.
    /// </summary>
    public string? ApiKey { get; set; }

    /// <summary>The folder where uploaded adapters are kept, for this run and those to come; null: none can be uploaded.</summary>
    public string? StateFolder { get; set; }

    /// <summary>Bytes of a request's body, an upload's excepted.</summary>
    public long MaxBodyBytes { get; set; } = 2_000_000;

    /// <summary>Bytes of an uploaded adapter, packed and unpacked.</summary>
    public long MaxUploadBytes { get; set; } = 512L << 20;

    /// <summary>Texts of one request.</summary>
    public int MaxTexts { get; set; } = 512;

    /// <summary>Adapters that may be uploaded and kept.</summary>
    public int MaxAdapters { get; set; } = 10_000;

    /// <summary>Whether texts that are too long are cut where a request does not say; else they are refused.</summary>
    public bool Truncates { get; set; } = true;
}
