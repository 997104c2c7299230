using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Safetensors;

namespace LoRA2.Native.Experiments;

/// <summary>How much of its rank an adapted matrix uses.</summary>
/// <param name="Module">The layer.</param>
/// <param name="Rank">r at the start, where the adapter's config says it, else what is in the file.</param>
/// <param name="Effective">Ranks there whose singular value or gate is not 0.</param>
public sealed record MatrixRank(string Module, long Rank, long Effective)
{
    private const string Prefix = "base_model.model.";

    /// <summary>What a rank is counted by: a singular value, a gate, a row of A.</summary>
    private static readonly string[] Counted = [".lora_E", ".lora_gate", ".vera_lambda_d", ".lora_A.weight", ".lora_A"];

    /// <summary>The ranks that an adapter's file holds, by module.</summary>
    /// <param name="file">An adapter's tensors.</param>
    /// <param name="initialRank">r of its config, or 0.</param>
    public static MatrixRank[] In(SafetensorsFile file, int initialRank = 0)
    {
        ArgumentNullException.ThrowIfNull(file);
        return [.. file.Entries.Select(entry => ModuleOf(entry.Name)).OfType<string>().Distinct().Order(StringComparer.Ordinal).Select(module => Of(file, module, initialRank)).OfType<MatrixRank>()];
    }

    /// <summary>The ranks of a model's adapters with singular values or gates, in the model's order; none for other methods.</summary>
    public static MatrixRank[] In(SequenceClassifier model, AdapterMethod method)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(method);
        return [.. model.Adapters().Where(adapter => adapter.RankValues is not null).Select(adapter => new MatrixRank(adapter.Module, Math.Max(method.InitialRank, adapter.RankValues!.Count), adapter.EffectiveRank))];
    }

    private static MatrixRank? Of(SafetensorsFile file, string module, int initialRank)
    {
        foreach (string suffix in Counted)
        {
            if (!file.TryGetEntry(module + suffix, out SafetensorsEntry? entry) || entry.Shape.Length == 0) continue;
            long effective = entry.Shape[0];
            if (suffix is ".lora_E" or ".lora_gate")
            {
                float[] values = new float[entry.ElementCount];
                file.ReadFloat32(entry, values);
                effective = values.Count(value => value != 0);
            }

            string name = module.StartsWith(Prefix, StringComparison.Ordinal) ? module[Prefix.Length..] : module;
            return new MatrixRank(name, Math.Max(initialRank, entry.Shape[0]), effective);
        }

        return null;
    }

    private static string? ModuleOf(string name) =>
        Array.Find(Counted, suffix => name.EndsWith(suffix, StringComparison.Ordinal)) is { } found ? name[..^found.Length] : null;
}
