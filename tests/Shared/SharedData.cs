namespace LoRA2.Native.Tests.Shared;

/// <summary>The folder <c>shared</c> beside the checkout: real data and models that are not part of the project.</summary>
internal static class SharedData
{
    private static readonly string Root = FindRoot();

    public static string Path(string relative) => System.IO.Path.Combine(Root, relative);

    public static bool Has(string relative) => File.Exists(Path(relative)) || Directory.Exists(Path(relative));

    /// <summary>The folder that holds the solution: the repository's root.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The data of the quick start, which the command carries along.</summary>
    public static string QuickStart { get; } = System.IO.Path.Combine(FindRepository(), "src", "LoRA2.Native.Cli", "QuickStart");

    /// <summary>The tokenizer of a small DeBERTa-v3 with 8,064 tokens: SentencePiece.</summary>
    public static string Tokenizer { get; } = System.IO.Path.Combine(FindRepository(), "tests", "Fixtures", "deberta-v3-tiny-wiki");

    private static string FindRoot() => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(FindRepository()) ?? "/", "shared");

    private static string FindRepository()
    {
        string? folder = AppContext.BaseDirectory.TrimEnd('/', '\\');
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder, "LoRA2.Native.sln")))
            folder = System.IO.Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException($"No LoRA2.Native.sln above {AppContext.BaseDirectory}.");
    }
}
