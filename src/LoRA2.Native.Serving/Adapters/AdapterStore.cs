using LoRA2.Native.Files;
using LoRA2.Native.Hosting;

namespace LoRA2.Native.Serving.Adapters;

/// <summary>
/// Uploaded adapters on the disk: <c>adapters/NAME/VERSION/</c> has the files, <c>adapters/NAME/current</c> says which version is. A process killed at any instruction leaves the old version
/// or the new one; what is neither is removed at the next start. One process has the folder at a time.
/// </summary>
internal sealed class AdapterStore : IDisposable
{
    private const string Current = "current";
    private readonly string root;
    private readonly FileStream held;

    /// <summary>Takes a folder, which is made where it is missing.</summary>
    /// <exception cref="InputException">Another process has it, or it cannot be written to.</exception>
    public AdapterStore(string folder)
    {
        root = Path.Combine(Path.GetFullPath(folder), "adapters");
        try
        {
            Directory.CreateDirectory(root);
            held = new FileStream(Path.Combine(Path.GetFullPath(folder), "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{folder}: the folder of uploaded adapters can't be used ({e.Message.TrimEnd('.')}); another server may have it", e);
        }

        foreach (string name in Directory.EnumerateDirectories(root)) Clean(name);
    }

    /// <summary>The adapters that are kept, with their folders.</summary>
    public IReadOnlyList<(string Name, string Folder)> All =>
        [.. Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal).Select(static place => (Path.GetFileName(place), VersionIn(place))).Where(static kept => kept.Item2 is not null)!];

    /// <summary>A new folder for a version that is not current yet.</summary>
    public string Begin(string name)
    {
        if (!AdapterNames.IsName(name)) throw new ArgumentException($"'{name}' is no name for an adapter", nameof(name));
        return Directory.CreateDirectory(Path.Combine(root, name, Guid.NewGuid().ToString("N"))).FullName;
    }

    /// <summary>Makes a version current, and removes the others.</summary>
    public static void Keep(string version)
    {
        string place = Path.GetDirectoryName(version)!;
        AtomicFile.Write(Path.Combine(place, Current), stream => stream.Write(System.Text.Encoding.ASCII.GetBytes(Path.GetFileName(version))));
        Clean(place);
    }

    /// <summary>Removes a version that did not become current.</summary>
    public static void Drop(string version)
    {
        Directory.Delete(version, recursive: true);
        string place = Path.GetDirectoryName(version)!;
        if (!Directory.EnumerateFileSystemEntries(place).Any()) Directory.Delete(place);
    }

    /// <summary>Removes an adapter; whether it was kept here.</summary>
    public bool Remove(string name)
    {
        string place = Path.Combine(root, name);
        if (!AdapterNames.IsName(name) || !Directory.Exists(place)) return false;
        File.Delete(Path.Combine(place, Current));
        Clean(place);
        return true;
    }

    public void Dispose() => held.Dispose();

    private static string? VersionIn(string place)
    {
        string file = Path.Combine(place, Current);
        if (!File.Exists(file) || new FileInfo(file).Length != 32) return null;
        string version = File.ReadAllText(file);
        string folder = Path.Combine(place, version);
        return Guid.TryParseExact(version, "N", out _) && Directory.Exists(folder) ? folder : null;
    }

    /// <summary>Leaves the current version alone, or nothing where there is none.</summary>
    private static void Clean(string place)
    {
        string? version = VersionIn(place);
        if (version is null)
        {
            Directory.Delete(place, recursive: true);
            return;
        }

        AtomicFile.RemoveLeftovers(place);
        foreach (string other in Directory.EnumerateDirectories(place).Where(folder => folder != version)) Directory.Delete(other, recursive: true);
    }
}
