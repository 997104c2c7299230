using LoRA2.Native.Data.Tables;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;

namespace LoRA2.Native.Data;

/// <summary>
/// Reads the user's own data, of any format in <see cref="DataFormats"/>: .tsv (quotes plain, unless the file is quoted as pandas does it), .csv (RFC 4180), .jsonl, …, with
/// named columns. What the columns hold is for the kind of task to say.
/// </summary>
public static class DatasetFile
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">A file of a format in <see cref="DataFormats"/>; with <see cref="DatasetOptions.Split"/> a data set's folder.</param>
    /// <param name="options">The kind of task, columns and labels expected; null for the defaults.</param>
    /// <exception cref="InputException">The file is missing or empty, lacks a column, or has a bad row.</exception>
    public static Dataset Load(string path, DatasetOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new DatasetOptions();
        if (options.LabelMap is not null && !options.Kind.MapsLabels)
            throw new InputException($"a label map is for {string.Join(" and ", TaskKinds.All.Where(kind => kind.MapsLabels))}; the task is {options.Kind}");
        Table table = options.Split is { } split && Directory.Exists(path) ? InFolder(path, split) : DataFormats.Of(path).Read(path);
        return options.Kind.Read(table, options);
    }

    private static Table InFolder(string folder, string split)
    {
        IReadOnlyList<string> files = DatasetFolder.FilesOf(folder, split) is { Count: > 0 } named ? named : DatasetFolder.PartsOf(folder);
        Table[] tables = [.. files.Select(file => DataFormats.Of(file).Read(file))];
        if (tables.Length == 0) throw new InputException($"{folder}: there is no file of the split {split}, expected {split}.csv, data/{split}-00000-of-00001.parquet or the like.");
        return tables.Length == 1 ? tables[0] : Table.Joined(Path.Combine(folder, split), tables);
    }
}
