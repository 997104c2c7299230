using System.CommandLine;
using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Experiments;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli;

/// <summary>What is to be known of a model's files, and of an adapter that fits a model: fields nobody here knows, weights, config or tokenizer of another base model, a merge that was made already.</summary>
internal static class AdapterWarnings
{
    public static Option<bool> StrictOption() => new("--strict") { Description = "refuse an adapter that was trained on a base model with other weights, another config or another tokenizer, whose folder has another tokenizer, whose config contradicts the rest or says what nothing comes of, or that is merged into this one already" };

    /// <exception cref="InputException">Something is doubtful, and only what is certain was asked for.</exception>
    public static void Write(TextWriter error, AdapterSettings? adapter, string? folder, SequenceClassifier model, bool strict)
    {
        foreach (string doubt in model.Warnings) error.WriteLine($"lora2: warning: {doubt}");
        if (adapter is null || folder is null) return;
        if (File.Exists(Path.Combine(folder, RunFolder.UnfinishedFile))) error.WriteLine($"lora2: warning: {folder}: a run was begun here and has not ended; the adapter may be an earlier run's");
        if (adapter.UnknownFields.Count > 0) error.WriteLine($"lora2: warning: unknown in {AdapterFolder.ConfigFile}, ignored: {string.Join(", ", adapter.UnknownFields)}");
        IEnumerable<string> doubts = IsMerged(folder, model.Config) ? [$"{folder}: the adapter is merged into this model already, and counts twice"] : adapter.Warnings;
        foreach (string doubt in doubts)
        {
            if (strict) throw new InputException(doubt);
            error.WriteLine($"lora2: warning: {doubt}");
        }
    }

    /// <summary>Whether an adapter is in a model's weights.</summary>
    public static bool IsMerged(string folder, EncoderConfig model) => model.Merged.Count > 0 && model.Merged.Contains(AdapterFolder.FingerprintOf(folder));
}
