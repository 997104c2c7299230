using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Tables;

/// <summary>How a file of examples is laid out: known by the end of its name, and read as a table with named columns.</summary>
/// <remarks>What the columns mean is <see cref="DatasetFile"/>'s business and the same for every format.</remarks>
public sealed class DataFormat
{
    private readonly Func<string, Table> read;

    /// <summary>A format.</summary>
    /// <param name="name">What people call it.</param>
    /// <param name="extensions">Ends of files' names, in lower case with their dot; the first is the usual one.</param>
    /// <param name="read">
    /// Reads the file at a path; made of <see cref="Table.Of"/>, which checks the header. What is wrong with a file is an <see cref="InputException"/> that names it
    /// and the line.
    /// </param>
    /// <exception cref="ArgumentException">There is no extension, or one has no dot, nothing after it, or a capital letter.</exception>
    public DataFormat(string name, IReadOnlyList<string> extensions, Func<string, Table> read)
    {
        ArgumentNullException.ThrowIfNull(extensions);
        ArgumentNullException.ThrowIfNull(read);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(read);
        if (extensions.Count == 0) throw new ArgumentException($"format {name} has no extension; at least one was expected", nameof(extensions));
        foreach (string extension in extensions)
        {
            if (extension.Length < 2 || extension[0] != '.' || extension.Any(char.IsUpper) || extension.LastIndexOf('.') > 0)
                throw new ArgumentException($"format {name} has the extension '{extension}'; a dot and lower-case letters were expected", nameof(extensions));
        }

        Name = name;
        Extensions = [.. extensions];
        this.read = read;
    }

    /// <summary>What people call it.</summary>
    public string Name { get; }

    /// <summary>Ends of files' names, in lower case with their dot; the first is the usual one.</summary>
    public IReadOnlyList<string> Extensions { get; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InputException">The file is missing or has a bad row.</exception>
    public Table Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return read(path);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
