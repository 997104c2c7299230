namespace LoRA2.Native.Tests.Shared;

/// <summary>Finds the golden folder: LORA2_GOLDEN, else shared/golden beside the repository.</summary>
internal static class GoldenFolder
{
    /// <summary>The golden folder, or null where there is none.</summary>
    public static string? Path { get; } = Find();

    /// <summary>The folder of shared material beside the repository (the parent of its golden folder), or null.</summary>
    public static string? Shared { get; } = FindShared();

    /// <summary>A file or folder in the golden folder, which must be there.</summary>
    public static string At(params string[] parts) => System.IO.Path.Combine([Path!, .. parts]);

    /// <summary>Why a test that needs <paramref name="needed"/> (paths in the golden folder, or after "shared:" in the shared one)
    /// cannot run, or null.</summary>
    public static string? Missing(IEnumerable<string> needed)
    {
        foreach (var item in needed)
        {
            var shared = item.StartsWith("shared:", StringComparison.Ordinal);
            var folder = shared ? Shared : Path;
            var name = shared ? item["shared:".Length..] : item;
            if (folder is null)
                return shared ? "not run: there is no folder shared beside the repository" : "not run: LORA2_GOLDEN is not set and there is no shared/golden";
            var path = System.IO.Path.Combine(folder, name);
            if (!File.Exists(path) && !Directory.Exists(path))
                return $"not run: {path} is missing";
        }

        return null;
    }

    private static string? Find()
    {
        var set = Environment.GetEnvironmentVariable("LORA2_GOLDEN");
        if (!string.IsNullOrEmpty(set))
            return Directory.Exists(set) ? set : null;
        return FindShared() is { } shared && Directory.Exists(System.IO.Path.Combine(shared, "golden"))
            ? System.IO.Path.Combine(shared, "golden")
            : null;
    }

    private static string? FindShared()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(System.IO.Path.Combine(folder.FullName, "LoRA2.Native.sln")))
                continue;
            // A git worktree lies deeper than the repository: shared may be beside any of its parents.
            for (var above = folder.Parent; above is not null; above = above.Parent)
            {
                var shared = System.IO.Path.Combine(above.FullName, "shared");
                if (Directory.Exists(shared))
                    return shared;
            }
        }

        return null;
    }
}

/// <summary>A test that is reported as not run where the golden data it needs are missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GoldenFactAttribute : FactAttribute
{
    public GoldenFactAttribute(params string[] needed)
    {
        if (GoldenFolder.Missing(needed) is { } reason)
            Skip = reason;
    }
}
