using LoRA2.Native.Safetensors;

namespace LoRA2.Native.Cli.Inspection;

/// <summary>How much of its rank an adapted matrix uses.</summary>
/// <param name="Module">The layer.</param>
/// <param name="Method">lora or lora2.</param>
/// <param name="Rank">r.</param>
/// <param name="OuterRank">k of LoRA2; r of LoRA.</param>
/// <param name="Effective">Singular values that are not 0; r of LoRA.</param>
internal sealed record MatrixRank(string Module, string Method, long Rank, long OuterRank, long Effective)
{
    private const string Prefix = "base_model.model.";

    public static MatrixRank[] In(SafetensorsFile file) => [.. All(file).OrderBy(rank => rank.Module, StringComparer.Ordinal)];

    private static IEnumerable<MatrixRank> All(SafetensorsFile file)
    {
        foreach (SafetensorsEntry entry in file.Entries)
        {
            const string Lora = ".lora_A.weight", Lora2 = ".lora_E";
            if (entry.Name.EndsWith(Lora, StringComparison.Ordinal) && entry.Shape.Length == 2)
            {
                yield return new MatrixRank(ModuleOf(entry.Name, Lora), "lora", entry.Shape[0], entry.Shape[0], entry.Shape[0]);
            }
            else if (entry.Name.EndsWith(Lora2, StringComparison.Ordinal) && entry.Shape.Length == 2)
            {
                string module = entry.Name[..^Lora2.Length];
                float[] values = new float[entry.ElementCount];
                file.ReadFloat32(entry, values);
                bool outer = file.TryGetEntry(module + ".lora_aa", out SafetensorsEntry? aa) && aa.Shape.Length == 2;
                yield return new MatrixRank(ModuleOf(entry.Name, Lora2), outer ? "lora2" : "adalora", entry.Shape[0], outer ? aa!.Shape[0] : entry.Shape[0], values.Count(value => value != 0));
            }
        }
    }

    private static string ModuleOf(string name, string suffix)
    {
        string module = name[..^suffix.Length];
        return module.StartsWith(Prefix, StringComparison.Ordinal) ? module[Prefix.Length..] : module;
    }
}
