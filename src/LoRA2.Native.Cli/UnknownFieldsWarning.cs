using LoRA2.Native.Adapters;

namespace LoRA2.Native.Cli;

/// <summary>Tells of fields of an adapter_config.json that are not known here, and were ignored.</summary>
internal static class UnknownFieldsWarning
{
    public static void Write(TextWriter error, AdapterSettings? adapter)
    {
        if (adapter is { UnknownFields.Count: > 0 }) error.WriteLine($"lora2: warning: unknown in {AdapterFolder.ConfigFile}, ignored: {string.Join(", ", adapter.UnknownFields)}");
    }
}
