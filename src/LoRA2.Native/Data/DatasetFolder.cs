using LoRA2.Native.Data.Tables;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>
/// The files of a split in a folder, as data sets on HuggingFace's hub have them: <c>train.csv</c>, <c>data/train-00000-of-00002.parquet</c>, <c>train/0000.jsonl</c>, in any format
/// of <see cref="DataFormats"/>.
/// </summary>
public static class DatasetFolder
{
    private static readonly string[][] Names = [["train", "training"], ["validation", "valid", "val", "dev"], ["test", "testing"]];

    /// <summary>The files of a split in the order of their names; none when the folder has no such split.</summary>
    /// <param name="folder">The data set's folder.</param>
    /// <param name="split">train, validation or test; the files may have another usual name for it.</param>
    /// <exception cref="InputException">There is no such folder, its files are of several formats, or it is in Arrow's format.</exception>
    public static IReadOnlyList<string> FilesOf(string folder, string split)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(split);
        if (!Directory.Exists(folder)) throw new InputException($"{folder}: no such folder, expected one with a data set.");
        string[] names = Array.Find(Names, names => names.Contains(split)) ?? [split];
        foreach (string place in (string[])[folder, Path.Combine(folder, "data"), Path.Combine(folder, "default")])
        {
            if (!Directory.Exists(place)) continue;
            string[] files = [.. In(place).Where(file => Array.Exists(names, name => IsOf(Path.GetFileNameWithoutExtension(file), name)))];
            if (files.Length == 0) files = [.. names.Select(name => Path.Combine(place, name)).Where(Directory.Exists).SelectMany(In)];
            if (files.Length == 0) continue;
            string[] formats = [.. files.Select(file => DataFormats.Of(file).Name).Distinct()];
            return formats.Length == 1 ? files : throw new InputException($"{place}: split {split} is there as {formats[0]} and as {formats[1]}, expected one of them.");
        }

        if (Directory.EnumerateFiles(folder, "*.arrow", SearchOption.AllDirectories).Any())
            throw new InputException($"{folder}: is in Arrow's format, as save_to_disk writes it; dataset.to_parquet('train.parquet') writes what was expected.");
        return [];
    }

    private static IEnumerable<string> In(string folder) =>
        Directory.EnumerateFiles(folder).Where(file => DataFormats.All.Any(format => format.Extensions.Contains(Path.GetExtension(file).ToLowerInvariant()))).Order(StringComparer.Ordinal);

    /// <summary>A split's name may be followed by a part's: train-00000-of-00002, train.part1, train_1.</summary>
    private static bool IsOf(string file, string name) => file.StartsWith(name, StringComparison.OrdinalIgnoreCase) && (file.Length == name.Length || file[name.Length] is '-' or '.' or '_');
}
