using LoRA2.Native.Data.Tables;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>
/// The files of a split in a folder, as data sets on HuggingFace's hub have them: <c>train.csv</c>, <c>data/train-00000-of-00002.parquet</c>, <c>my_train_set.json</c>, <c>train/0000.jsonl</c>, in
/// any format of <see cref="DataFormats"/>; and folders of parts alone.
/// </summary>
public static class DatasetFolder
{
    private static readonly string[][] Names = [["train", "training"], ["validation", "valid", "val", "dev"], ["test", "testing"]];

    /// <summary>What HuggingFace's data sets have beside the data.</summary>
    private static readonly string[] About = ["dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"];

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
            string[] files = [.. In(place).Where(file => SplitOf(file) is { } said && names.Contains(said))];
            if (files.Length == 0) files = [.. names.Select(name => Path.Combine(place, name)).Where(Directory.Exists).SelectMany(In)];
            if (files.Length == 0) continue;
            return OfOneFormat(files, place, $"split {split}");
        }

        if (Directory.EnumerateFiles(folder, "*.arrow", SearchOption.AllDirectories).Any())
            throw new InputException($"{folder}: is in Arrow's format, as save_to_disk writes it; dataset.to_parquet('train.parquet') writes what was expected.");
        return [];
    }

    /// <summary>The files of a folder that is one split by itself, such as <c>train</c> of a data set saved in parts, in the order of their names; none where files are called after splits.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="InputException">There is no such folder, or its files are of several formats.</exception>
    public static IReadOnlyList<string> PartsOf(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (!Directory.Exists(folder)) throw new InputException($"{folder}: no such folder, expected one with a data set.");
        string[] files = [.. In(folder)];
        return Array.Exists(files, file => SplitOf(file) is not null) ? [] : OfOneFormat(files, folder, "the data set");
    }

    private static string[] OfOneFormat(string[] files, string place, string what)
    {
        string[] formats = [.. files.Select(file => DataFormats.Of(file).Name).Distinct()];
        return formats.Length <= 1 ? files : throw new InputException($"{place}: {what} is there as {formats[0]} and as {formats[1]}, expected one of them.");
    }

    private static IEnumerable<string> In(string folder) =>
        Directory.EnumerateFiles(folder).Where(file => !About.Contains(Path.GetFileName(file)) && DataFormats.All.Any(format => format.Extensions.Contains(Path.GetExtension(file).ToLowerInvariant()))).Order(StringComparer.Ordinal);

    /// <summary>The first word of a file's name that is a split's: train-00000-of-00002, train.part1, my_train_set.</summary>
    private static string? SplitOf(string file) =>
        Path.GetFileNameWithoutExtension(file).ToLowerInvariant().Split('-', '.', '_', ' ').FirstOrDefault(word => Names.Any(names => names.Contains(word)));
}
