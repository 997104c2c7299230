using System.IO.Compression;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;

namespace LoRA2.Native.PyTorch;

/// <summary>
/// A dictionary of tensors as <c>torch.save</c> writes it since PyTorch 1.6: a zip archive of a pickle, which says what there is, and a file for each storage. Everything in it is
/// checked against the archive before it is used.
/// </summary>
internal sealed class TorchFile : IDisposable
{
    private readonly ZipArchive archive;
    private readonly string root;
    private readonly Lock gate = new();

    private TorchFile(string path)
    {
        Path = path;
        archive = Archive(path);
        try
        {
            ZipArchiveEntry pickle = archive.Entries.FirstOrDefault(entry => entry.FullName.EndsWith("/data.pkl", StringComparison.Ordinal)) ?? throw new InputException($"{path}: there is no data.pkl in the archive; what torch.save writes was expected");
            root = pickle.FullName[..^"data.pkl".Length];
            if (archive.GetEntry(root + "byteorder") is { } order && !Bytes(order, 16).AsSpan().SequenceEqual("little"u8)) throw new InputException($"{path}: the numbers are not little-endian, which was expected");
            Tensors = Weights(Pickle.Read(path, Bytes(pickle, pickle.Length)));
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, TorchTensor> Tensors { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="InputException">It is damaged, of before PyTorch 1.6, or asks for anything but tensors.</exception>
    public static TorchFile Open(string path)
    {
        try
        {
            return new TorchFile(path);
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw Damaged(path, e);
        }
    }

    /// <summary>The elements of a tensor in its own order, little-endian.</summary>
    /// <exception cref="InputException">The archive's file of them is missing, compressed, or of another length.</exception>
    public byte[] Read(string name)
    {
        TorchTensor tensor = Tensors[name];
        InputException Error(string what) => new($"{Path}: tensor {Quote.Name(name)} {what}");
        SafetensorsDType type = tensor.Storage.Type ?? throw Error($"has a {tensor.Storage.TypeName}, which can't be read");
        int size = type.Size();
        string file = $"{root}data/{tensor.Storage.Key}";
        ZipArchiveEntry entry = archive.GetEntry(file) ?? throw Error($"is in {Quote.Name(file)}, which the archive lacks");
        if (tensor.Storage.Count > Array.MaxLength / size) throw Error($"has a storage of {tensor.Storage.Count} elements; fewer than 2^31 bytes were expected");
        if (entry.Length != tensor.Storage.Count * size) throw Error($"has a storage of {tensor.Storage.Count} {type.FormatName()} in {entry.Length} bytes; {tensor.Storage.Count * size} were expected");
        byte[] storage;
        // One stream serves all of an archive's files.
        lock (gate) storage = Bytes(entry, Array.MaxLength);
        return InOrder(tensor) ? storage.AsSpan((int)tensor.Offset * size, (int)tensor.Count * size).ToArray() : Gather(tensor, storage, size);
    }

    /// <summary>All of it as a safetensors file.</summary>
    /// <exception cref="InputException">A tensor can't be read.</exception>
    public byte[] ToSafetensors()
    {
        var writer = new SafetensorsWriter();
        foreach ((string name, TorchTensor tensor) in Tensors) writer.Add(name, tensor.Storage.Type ?? throw new InputException($"{Path}: tensor {Quote.Name(name)} has a {tensor.Storage.TypeName}, which can't be read"), tensor.Shape, Read(name));
        using var stream = new MemoryStream();
        writer.Write(stream);
        return stream.ToArray();
    }

    public void Dispose() => archive.Dispose();

    private static ZipArchive Archive(string path)
    {
        RegularFile.Require(path);
        FileStream stream;
        try
        {
            stream = File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: the file can't be read ({e.Message.TrimEnd('.')}); what torch.save writes was expected", e);
        }

        try
        {
            Span<byte> first = stackalloc byte[2];
            bool isPickle = stream.ReadAtLeast(first, 2, throwOnEndOfStream: false) == 2 && first[0] == 0x80;
            if (isPickle)
                throw new InputException($"{path}: is of the form before PyTorch 1.6, a bare pickle; convert it where it comes from: torch.save(torch.load('{System.IO.Path.GetFileName(path)}', map_location='cpu'), …), or transformers' save_pretrained(…, safe_serialization=True)");
            stream.Position = 0;
            return new ZipArchive(stream, ZipArchiveMode.Read);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The bytes of one of the archive's files, which PyTorch never compresses: so that none is larger than the archive.</summary>
    private byte[] Bytes(ZipArchiveEntry entry, long most)
    {
        if (entry.CompressedLength != entry.Length) throw new InputException($"{Path}: {Quote.Name(entry.FullName)} in the archive is compressed; torch.save stores it plainly");
        if (entry.Length > most || entry.Length > Array.MaxLength || entry.Length > new FileInfo(Path).Length) throw new InputException($"{Path}: {Quote.Name(entry.FullName)} in the archive claims {entry.Length} bytes, more than there can be");
        byte[] bytes = new byte[entry.Length];
        try
        {
            using Stream stream = entry.Open();
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw Damaged(Path, e);
        }
    }

    private static bool IsDamage(Exception e) => e is InvalidDataException or EndOfStreamException or NotSupportedException;

    private static InputException Damaged(string path, Exception e) => new($"{path}: a damaged archive ({e.Message.TrimEnd('.')}); what torch.save writes was expected", e);

    private Dictionary<string, TorchTensor> Weights(object? pickled)
    {
        if (pickled is not Dictionary<string, object?> dictionary) throw new InputException($"{Path}: holds no dictionary; one of tensors was expected");
        // A training program may have put the model's dictionary into a larger one.
        if (!dictionary.Values.Any(value => value is TorchTensor) && dictionary.GetValueOrDefault("state_dict") is Dictionary<string, object?> inner) dictionary = inner;
        Dictionary<string, TorchTensor> tensors = dictionary.Where(pair => pair.Value is TorchTensor).ToDictionary(pair => pair.Key, pair => (TorchTensor)pair.Value!, StringComparer.Ordinal);
        return tensors.Count > 0 ? tensors : throw new InputException($"{Path}: there is no tensor in it; a dictionary of tensors was expected");
    }

    private static bool InOrder(TorchTensor tensor)
    {
        long step = 1;
        for (int axis = tensor.Shape.Length - 1; axis >= 0; axis--)
        {
            if (tensor.Shape[axis] != 1 && tensor.Strides[axis] != step) return tensor.Count == 0;
            step *= tensor.Shape[axis];
        }

        return true;
    }

    private static byte[] Gather(TorchTensor tensor, byte[] storage, int size)
    {
        byte[] gathered = new byte[tensor.Count * size];
        long[] index = new long[tensor.Shape.Length];
        long at = tensor.Offset;
        for (int to = 0; to < gathered.Length; to += size)
        {
            storage.AsSpan((int)at * size, size).CopyTo(gathered.AsSpan(to));
            for (int axis = index.Length - 1; axis >= 0; axis--)
            {
                at += tensor.Strides[axis];
                if (++index[axis] < tensor.Shape[axis]) break;
                at -= tensor.Strides[axis] * tensor.Shape[axis];
                index[axis] = 0;
            }
        }

        return gathered;
    }
}
