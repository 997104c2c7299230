using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Tables;

/// <summary>The registry of formats of files of examples, by the ends of their names.</summary>
public static class DataFormats
{
    private static readonly Lock Gate = new();

    private static DataFormat[] all =
    [
        new("tab-separated values", [".tsv"], TsvTable.Read),
        new("comma-separated values", [".csv"], CsvTable.Read),
        new("JSON Lines", [".jsonl", ".ndjson", ".json"], JsonLinesTable.Read),
        new("CoNLL columns", [".conll", ".iob", ".iob2", ".bio"], ConllTable.Read),
        new("plain text", [".txt"], TextTable.Read),
    ];

    /// <summary>All of them, in the order in which they were added.</summary>
    public static IReadOnlyList<DataFormat> All => all;

    /// <summary>The format of a file, by the end of its name in any case.</summary>
    /// <exception cref="InputException">No format has that end.</exception>
    public static DataFormat Of(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string extension = Path.GetExtension(path).ToLowerInvariant();
        string[] usual = [.. All.Select(format => format.Extensions[0])];
        return All.FirstOrDefault(format => format.Extensions.Contains(extension))
            ?? throw new InputException($"{path}: the file's name ends in \"{extension}\", expected {string.Join(", ", usual[..^1])} or {usual[^1]}.");
    }

    /// <summary>Adds a format, so that files of its extensions are read wherever data are, from here on and on every thread.</summary>
    /// <exception cref="ArgumentException">Another format has its name or one of its extensions.</exception>
    public static void Register(DataFormat format)
    {
        ArgumentNullException.ThrowIfNull(format);
        lock (Gate)
        {
            foreach (DataFormat other in all)
            {
                if (other.Name == format.Name) throw new ArgumentException($"there is a format named {format.Name} already", nameof(format));
                if (other.Extensions.Intersect(format.Extensions).FirstOrDefault() is { } extension)
                    throw new ArgumentException($"{extension} is the extension of {other.Name} already", nameof(format));
            }

            all = [.. all, format];
        }
    }
}
