using LoRA2.Native.Files;
using LoRA2.Native.Hosting;

namespace LoRA2.Native.Serving.Adapters;

/// <summary>
/// Uploaded adapters on the disk: <c>adapters/NAME/VERSION/</c> has the files, <c>adapters/NAME/current</c> says which version is. A process killed at any instruction leaves the old version
/// or the new one; what is neither is removed at the next start. One process has the folder at a time. What else is in the folder was not made here, and stays.
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

        foreach (string place in Places) Clean(place);
    }

    /// <summary>The adapters that are kept, with their folders.</summary>
    public IReadOnlyList<(string Name, string Folder)> All =>
        [.. Places.Order(StringComparer.Ordinal).Select(static place => (Path.GetFileName(place), VersionIn(place))).Where(static kept => kept.Item2 is not null)!];

    /// <summary>The folders that may be adapters' here: no adapter is called as the others are.</summary>
    private string[] Places => [.. Directory.EnumerateDirectories(root).Where(static place => AdapterNames.IsName(Path.GetFileName(place)))];

    /// <summary>A new folder for a version that is not current yet.</summary>
    public string Begin(string name)
    {
        if (!AdapterNames.IsName(name)) throw new ArgumentException($"'{name}' is no name for an adapter", nameof(name));
        return Directory.CreateDirectory(Path.Combine(root, name, Guid.NewGuid().ToString("N"))).FullName;
    }

    /// <summary>Makes a version current, and removes the others.</summary>
    /// <exception cref="IOException">It could not be made current; the one before is.</exception>
    /// <exception cref="UnauthorizedAccessException">As before.</exception>
    public static void Keep(string version)
    {
        string place = Path.GetDirectoryName(version)!;
        AtomicFile.Write(Path.Combine(place, Current), stream => stream.Write(System.Text.Encoding.ASCII.GetBytes(Path.GetFileName(version))));
        Clean(place);
    }

    /// <summary>Removes a version that did not become current.</summary>
    public static void Drop(string version)
    {
        Delete(version);
        DeleteIfEmpty(Path.GetDirectoryName(version)!);
    }

    /// <summary>Removes an adapter; whether it was kept here.</summary>
    public bool Remove(string name)
    {
        string place = Path.Combine(root, name);
        if (!AdapterNames.IsName(name) || Versions(place).Length == 0) return false;
        Forget(place);
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

    /// <summary>The versions of an adapter: no folder of anybody else's is called as they are.</summary>
    private static string[] Versions(string place) =>
        Directory.Exists(place) ? [.. Directory.EnumerateDirectories(place).Where(static folder => Guid.TryParseExact(Path.GetFileName(folder), "N", out _))] : [];

    /// <summary>Removes all versions but the current one, and the adapter's folder where nothing is left in it; a folder without versions is not the store's.</summary>
    private static void Clean(string place)
    {
        string[] versions = Versions(place);
        if (versions.Length == 0) return;
        string? current = VersionIn(place);
        AtomicFile.RemoveLeftovers(place);
        foreach (string other in versions.Where(folder => folder != current)) Delete(other);
        if (current is not null) return;
        Forget(place);
        DeleteIfEmpty(place);
    }

    /// <summary>What can't be removed now is at the next start: nothing names it.</summary>
    private static void Delete(string version)
    {
        try
        {
            Directory.Delete(version, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static void Forget(string place)
    {
        string file = Path.Combine(place, Current);
        if (File.Exists(file)) File.Delete(file);
    }

    private static void DeleteIfEmpty(string place)
    {
        if (!Directory.EnumerateFileSystemEntries(place).Any()) Directory.Delete(place);
    }
}
