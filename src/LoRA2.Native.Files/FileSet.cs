using System.Text;

namespace LoRA2.Native.Files;

/// <summary>
/// Several files of one folder that are replaced together. One of them, the key, is what every reader asks for first: a crash at any instruction leaves the old set, the
/// new one, or no key and all that <see cref="Complete(string)"/> needs; never a key beside files that are not of its set, which a reader could not tell from a good one.
/// </summary>
/// <remarks>
/// Every file is written under another name and flushed; then a list of them is written, from which on the change is done, by this process or by the next that writes
/// here; then the old key goes, the files take their names, the key last, and the list goes. Nobody else may be writing in the folder.
/// </remarks>
internal sealed class FileSet : IDisposable
{
    private const string Ending = ".set";

    private readonly string folder;
    private readonly string key;
    private readonly Guid id = Guid.NewGuid();
    private readonly List<string> names = [];
    private readonly Disk disk = Disk.Current;
    private bool isDone;

    /// <summary>Begins a set; an earlier change that was cut off there is completed.</summary>
    /// <param name="folder">Where the files go; made when missing.</param>
    /// <param name="key">The name of the file that readers ask for first.</param>
    public FileSet(string folder, string key)
    {
        this.folder = Path.GetFullPath(folder);
        this.key = key;
        OutputPlace.Make(this.folder);
        Complete(this.folder);
    }

    /// <summary>Writes a file of the set, which nobody sees before <see cref="Commit"/>.</summary>
    /// <param name="name">A name in the folder, not added before.</param>
    /// <param name="write">Writes the content; the stream can seek and starts empty.</param>
    public void Add(string name, Action<Stream> write)
    {
        if (names.Contains(name)) throw new ArgumentException($"{name} was added already.", nameof(name));
        // A link is replaced: a set's files are its folder's own. A device or a pipe would become a file.
        RegularFile.Require(Path.Combine(folder, name));
        names.Add(name);
        using Stream stream = disk.Create(AtomicFile.Temporary(folder, name, id));
        write(stream);
        disk.Flush(stream);
    }

    /// <summary>The same of bytes at hand.</summary>
    public void Add(string name, ReadOnlyMemory<byte> bytes) => Add(name, stream => stream.Write(bytes.Span));

    /// <summary>Puts the files in the place of earlier ones, and takes others away.</summary>
    /// <param name="others">Files of an earlier set that are none of this one's, in the order in which they go; they need not be there.</param>
    public void Commit(IEnumerable<string> others)
    {
        if (!names.Contains(key)) throw new InvalidOperationException($"{key} was not added.");
        string[] lines = [.. names.Where(name => name != key).Select(name => "+" + name), .. others.Except(names).Select(name => "-" + name), "+" + key];
        string list = Path.Combine(folder, $".{id:N}{Ending}");
        AtomicFile.Write(list, stream => stream.Write(Encoding.UTF8.GetBytes(string.Join('\n', lines))));
        isDone = true;
        Complete(disk, folder, list);
    }

    /// <summary>Without <see cref="Commit"/>: takes back what was written.</summary>
    public void Dispose()
    {
        if (isDone) return;
        isDone = true;
        foreach (string name in names) disk.Delete(AtomicFile.Temporary(folder, name, id));
    }

    /// <summary>Ends changes of a folder that were cut off after <see cref="Commit"/> had begun.</summary>
    public static void Complete(string folder)
    {
        foreach (string list in Lists(folder)) Complete(Disk.Current, folder, list);
    }

    /// <summary>For the sentence about a key that is missing: why that may be; nothing when no change was cut off there.</summary>
    public static string Hint(string folder) => Directory.Exists(folder) && Lists(folder).Length > 0 ? " (saving it was cut off: repeat the command that was, and it will be completed)" : "";

    private static string[] Lists(string folder) => [.. Directory.GetFiles(folder, ".*" + Ending).Where(file => Guid.TryParseExact(Path.GetFileName(file).AsSpan()[1..^Ending.Length], "N", out _))];

    private static void Complete(Disk disk, string folder, string list)
    {
        string[] lines = File.ReadAllLines(list);
        var id = Guid.ParseExact(Path.GetFileName(list).AsSpan()[1..^Ending.Length], "N");
        string key = lines[^1][1..];
        string Temporary(string name) => AtomicFile.Temporary(folder, name, id);
        // Where the key has its name already, everything before it was done.
        if (File.Exists(Temporary(key)))
        {
            disk.Delete(Path.Combine(folder, key));
            disk.FlushFolder(folder);
            foreach (string other in lines.Where(line => line[0] == '-')) disk.Delete(Path.Combine(folder, other[1..]));
            foreach (string name in lines[..^1].Where(line => line[0] == '+').Select(line => line[1..]))
                if (File.Exists(Temporary(name))) disk.Move(Temporary(name), Path.Combine(folder, name));
            disk.FlushFolder(folder);
            disk.Move(Temporary(key), Path.Combine(folder, key));
            disk.FlushFolder(folder);
        }

        disk.Delete(list);
    }
}
