using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Safetensors;

/// <summary>
/// The weights of a HuggingFace model folder, one file or shards, behind one lookup by tensor name: <c>model.safetensors</c>, or else
/// <c>model.safetensors.index.json</c> and the shards its <c>weight_map</c> names.
/// </summary>
public sealed class SafetensorsFolder : IDisposable
{
    /// <summary>The name of an unsharded model's file.</summary>
    public const string SingleFile = "model.safetensors";

    /// <summary>The name of a sharded model's index.</summary>
    public const string IndexFile = "model.safetensors.index.json";

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> _tensors = new(StringComparer.Ordinal);
    private readonly string _folder;
    private bool _isDisposed;

    private SafetensorsFolder(string folder)
    {
        _folder = folder;
    }

    /// <summary>The files, in the order of their names.</summary>
    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>Every tensor of every file.</summary>
    public IEnumerable<SafetensorsEntry> Entries => _files.SelectMany(file => file.Entries);

    /// <summary>Whether a folder has weights of this kind.</summary>
    internal static bool Exists(string folder) => File.Exists(Path.Combine(folder, SingleFile)) || File.Exists(Path.Combine(folder, IndexFile));

    /// <summary>Opens and checks a model folder's weights.</summary>
    /// <exception cref="InputException">There are none, or the index or a file is not valid.</exception>
    public static SafetensorsFolder Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string single = Path.Combine(folder, SingleFile), index = Path.Combine(folder, IndexFile);
        var opened = new SafetensorsFolder(folder);
        try
        {
            if (File.Exists(single))
                opened.Add(SafetensorsFile.Open(single));
            else if (File.Exists(index))
                opened.AddShards(index);
            else
                throw new InputException($"{folder}: no weights found, expected {SingleFile} or {IndexFile} in the folder{Pickle(folder)}.");
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>What to do with weights that are there in a format that can run any code when it is read.</summary>
    private static string Pickle(string folder)
    {
        string[] names = ["pytorch_model.bin", "pytorch_model.bin.index.json"];
        return Array.Find(names, name => File.Exists(Path.Combine(folder, name))) is { } found
            ? $"; {found} is a pickle: convert it where it comes from (transformers' AutoModel….from_pretrained(…).save_pretrained(…, safe_serialization=True))"
            : "";
    }

    /// <summary>Whether there is a tensor of this name, and where.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out SafetensorsFile? file, [NotNullWhen(true)] out SafetensorsEntry? entry)
    {
        ArgumentNullException.ThrowIfNull(name);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        bool found = _tensors.TryGetValue(name, out (SafetensorsFile File, SafetensorsEntry Entry) place);
        (file, entry) = place;
        return found;
    }

    /// <summary>The tensor of this name and the file it is in.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public (SafetensorsFile File, SafetensorsEntry Entry) Get(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _tensors.TryGetValue(name, out (SafetensorsFile, SafetensorsEntry) place)
            ? place
            : throw new InputException(
                $"{_folder}: there is no tensor {Quote.Name(name)}, expected it among the folder's {_tensors.Count} tensors.");
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        foreach (SafetensorsFile file in _files) file.Dispose();
        _files.Clear();
        _tensors.Clear();
    }

    private void Add(SafetensorsFile file)
    {
        _files.Add(file);
        foreach (SafetensorsEntry entry in file.Entries)
        {
            if (!_tensors.TryAdd(entry.Name, (file, entry)))
                throw new InputException(
                    $"{file.Path}: tensor {Quote.Name(entry.Name)} is also in {_tensors[entry.Name].File.Path}, expected it in one shard.");
        }
    }

    /// <summary>The paths of the shards that an index names, which are there beside it, in the order of their names.</summary>
    /// <exception cref="InputException">The index is damaged, or a shard is missing.</exception>
    internal static string[] ShardsIn(string index) => ShardsIn(index, ReadWeightMap(index));

    private static string[] ShardsIn(string index, Dictionary<string, string> weightMap)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(index))!;
        string[] shards = [.. weightMap.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        string? missing = Array.Find(shards, shard => !File.Exists(Path.Combine(folder, shard)));
        return missing is null
            ? [.. shards.Select(shard => Path.Combine(Path.GetDirectoryName(index) ?? "", shard))]
            : throw new InputException($"{index}: the shard {Quote.Name(missing)} is missing, expected it beside the index.");
    }

    private void AddShards(string index)
    {
        Dictionary<string, string> weightMap = ReadWeightMap(index);
        foreach (string path in ShardsIn(index, weightMap)) Add(SafetensorsFile.Open(path));
        foreach ((string name, string shard) in weightMap)
        {
            if (!_tensors.TryGetValue(name, out (SafetensorsFile File, SafetensorsEntry Entry) place)
                || Path.GetFileName(place.File.Path) != shard)
                throw new InputException($"{index}: tensor {Quote.Name(name)} is not in {shard}, expected it there.");
        }
    }

    private static Dictionary<string, string> ReadWeightMap(string index)
    {
        try
        {
            using var document = JsonDocument.Parse(RegularFile.ReadAllBytes(index));
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object)
            {
                throw new InputException($"{index}: no weight_map found, expected an object from tensor names to file names.");
            }
            var weightMap = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (JsonProperty pair in map.EnumerateObject())
            {
                if (pair.Value.ValueKind != JsonValueKind.String)
                    throw new InputException(
                        $"{index}: tensor {Quote.Name(pair.Name)} maps to {pair.Value.ValueKind}, expected a file name.");
                string shard = pair.Value.GetString()!;
                // Shards lie beside the index: anything else could read a file the user did not mean to open.
                if (shard is "" or "." or ".." || shard.AsSpan().IndexOfAny("/\\:\0") >= 0)
                    throw new InputException(
                        $"{index}: tensor {Quote.Name(pair.Name)} maps to {Quote.Name(shard)}, expected the name of a file in the same folder.");
                if (!weightMap.TryAdd(pair.Name, shard))
                    throw new InputException($"{index}: tensor {Quote.Name(pair.Name)} appears twice in the weight_map, expected once.");
            }
            return weightMap.Count > 0 ? weightMap : throw new InputException($"{index}: the weight_map is empty, expected the file of every tensor.");
        }
        catch (JsonException e)
        {
            throw new InputException($"{index}: the file is not valid JSON (line {e.LineNumber + 1}), expected a weight_map.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{index}: the file cannot be read ({e.Message.TrimEnd('.')}), expected a weight_map.", e);
        }
        catch (InvalidOperationException e)
        {
            throw new InputException($"{index}: a string is not valid Unicode, expected JSON in UTF-8.", e);
        }
    }
}
