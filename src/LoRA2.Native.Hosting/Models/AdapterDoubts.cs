using LoRA2.Native.Adapters;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Hosting.Models;

/// <summary>What is to be known of an adapter that answers nevertheless.</summary>
internal static class AdapterDoubts
{
    /// <summary>Each a sentence, which names files and not where they are.</summary>
    public static IReadOnlyList<string> Of(HostedAdapter adapter)
    {
        IEnumerable<string> warnings = adapter.Settings.Warnings.Select(warning => warning.Replace(adapter.Folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal));
        IReadOnlyList<string> unknown = adapter.Settings.UnknownFields;
        return unknown.Count == 0 ? [.. warnings] : [$"{AdapterFolder.ConfigFile}: fields that mean nothing here were ignored: {string.Join(", ", unknown)}", .. warnings];
    }
}
