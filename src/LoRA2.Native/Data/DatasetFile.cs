using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>
/// Reads the user's own data, of any format in <see cref="DataFormats"/>: .tsv (quotes plain, unless the file is quoted as pandas does it), .csv (RFC 4180), .jsonl, …, with
/// named columns. What the columns hold is for the kind of task to say.
/// </summary>
public static class DatasetFile
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">A file of a format in <see cref="DataFormats"/>.</param>
    /// <param name="options">The kind of task, columns and labels expected; null for the defaults.</param>
    /// <exception cref="InputException">The file is missing or empty, lacks a column, or has a bad row.</exception>
    public static Dataset Load(string path, DatasetOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new DatasetOptions();
        Table table = DataFormats.Of(path).Read(path);
        return options.Kind.Read(table, options);
    }
}
