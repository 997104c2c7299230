using System.Buffers;
using System.IO.MemoryMappedFiles;
using LoRA2.Native.Files;

namespace LoRA2.Native.Safetensors;

/// <summary>
/// A safetensors file opened for reading, memory-mapped: tensors are read from the page cache without a copy. The whole header is checked
/// when the file is opened; see <see cref="SafetensorsHeader"/>. The file must not be shortened by others while it is open.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly MemoryMappedFile? _mapping;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly MemoryHandle _memory;
    private readonly SafetensorsHeader _header;
    private byte* _start;

    private SafetensorsFile(string path, MemoryMappedFile mapping, MemoryMappedViewAccessor view, long length)
    {
        Path = path;
        _mapping = mapping;
        _view = view;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += view.PointerOffset;
        _header = ReadHeader(length);
    }

    private SafetensorsFile(string path, ReadOnlyMemory<byte> content)
    {
        Path = path;
        _memory = content.Pin();
        _start = (byte*)_memory.Pointer;
        _header = ReadHeader(content.Length);
    }

    private SafetensorsHeader ReadHeader(long length)
    {
        try
        {
            long headerLength = SafetensorsHeader.CheckLength(Path, new ReadOnlySpan<byte>(_start, SafetensorsHeader.LengthBytes), length);
            var json = new ReadOnlySpan<byte>(_start + SafetensorsHeader.LengthBytes, (int)headerLength);
            return SafetensorsHeader.Parse(Path, json, length);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The path the file was opened by.</summary>
    public string Path { get; }

    /// <summary>The header's <c>__metadata__</c>; empty when it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>The tensors in the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries => _header.Entries;

    /// <summary>Opens what would be in a file.</summary>
    /// <param name="path">What messages name.</param>
    /// <param name="content">A safetensors file's bytes.</param>
    /// <exception cref="InputException">They are no valid safetensors file.</exception>
    internal static SafetensorsFile Open(string path, ReadOnlyMemory<byte> content)
    {
        if (content.Length < SafetensorsHeader.LengthBytes) SafetensorsHeader.CheckLength(path, default, content.Length);
        return new SafetensorsFile(path, content);
    }

    /// <summary>Opens and checks a file.</summary>
    /// <exception cref="InputException">The file cannot be read or is not a valid safetensors file.</exception>
    public static SafetensorsFile Open(string path) => Read(path, stream =>
    {
        long length = stream.Length;
        // An empty file cannot be mapped; the check has the message.
        if (length < SafetensorsHeader.LengthBytes) SafetensorsHeader.CheckLength(path, default, length);
        var mapping = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None,
            leaveOpen: true);
        return new SafetensorsFile(path, mapping, mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read), length);
    });

    /// <summary>Reads a file's header alone, and checks it: of the data it knows how much there is.</summary>
    /// <exception cref="InputException">The file cannot be read or is not a valid safetensors file.</exception>
    internal static SafetensorsHeader ReadHeader(string path) => Read(path, stream =>
    {
        long length = stream.Length;
        Span<byte> prefix = stackalloc byte[SafetensorsHeader.LengthBytes];
        prefix = prefix[..stream.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false)];
        byte[] json = new byte[SafetensorsHeader.CheckLength(path, prefix, length)];
        stream.ReadExactly(json);
        return SafetensorsHeader.Parse(path, json, length);
    });

    private static T Read<T>(string path, Func<FileStream, T> read)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        RegularFile.Require(path);
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1);
            return read(stream);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{path}: there is no such file, expected a safetensors file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: the file cannot be read ({e.Message.TrimEnd('.')}), expected a safetensors file.", e);
        }
    }

    /// <summary>Whether there is a tensor of this name.</summary>
    public bool TryGetEntry(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SafetensorsEntry? entry)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _header.ByName.TryGetValue(name, out entry);
    }

    /// <summary>The tensor of this name.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public SafetensorsEntry GetEntry(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _header.ByName.TryGetValue(name, out SafetensorsEntry? entry)
        ? entry
        : throw new InputException($"{Path}: there is no tensor {Quote.Name(name)}, expected it among the file's {Entries.Count} tensors.");
    }

    /// <summary>The tensor's bytes in the mapped file, little-endian, not necessarily aligned; valid until the file is disposed.</summary>
    /// <exception cref="InputException">The tensor has more than 2^31 − 1 bytes; use <see cref="GetPointer"/>.</exception>
    public ReadOnlySpan<byte> GetBytes(SafetensorsEntry entry)
    {
        byte* pointer = GetPointer(entry);
        return entry.ByteLength <= int.MaxValue
            ? new ReadOnlySpan<byte>(pointer, (int)entry.ByteLength)
            : throw new InputException(
                $"{Path}: tensor {Quote.Name(entry.Name)} has {entry.ByteLength} bytes, expected at most {int.MaxValue} for one span.");
    }

    /// <summary>Where the tensor's <see cref="SafetensorsEntry.ByteLength"/> bytes are in memory; valid until the file is
    /// disposed.</summary>
    public byte* GetPointer(SafetensorsEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ObjectDisposedException.ThrowIf(_start is null, this);
        if (!_header.ByName.TryGetValue(entry.Name, out SafetensorsEntry? own) || !ReferenceEquals(own, entry))
            throw new ArgumentException($"The entry {Quote.Name(entry.Name)} is of another file.", nameof(entry));
        return _start + entry.ByteOffset;
    }

    /// <summary>Reads a tensor of any loadable type as float32.</summary>
    /// <param name="entry">The tensor.</param>
    /// <param name="destination">As many elements as the tensor has.</param>
    /// <exception cref="InputException">The element type cannot be loaded.</exception>
    public void ReadFloat32(SafetensorsEntry entry, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(entry);
        entry.RequireLoadable();
        ElementConversion.ToFloat32(entry.Type, GetBytes(entry), destination);
    }

    /// <summary>As <see cref="ReadFloat32"/>, refusing a NaN or an infinity; looks at each part while the copy is in the cache.</summary>
    /// <param name="entry">The tensor.</param>
    /// <param name="destination">As many elements as the tensor has.</param>
    /// <exception cref="InputException">The element type cannot be loaded, or a value is not finite.</exception>
    public void ReadFiniteFloat32(SafetensorsEntry entry, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(entry);
        const int Part = 1 << 14;
        entry.RequireLoadable();
        ReadOnlySpan<byte> bytes = GetBytes(entry);
        if (destination.Length != entry.ElementCount) throw new ArgumentException($"{destination.Length} elements for a tensor of {entry.ElementCount}, expected as many.", nameof(destination));
        int size = destination.Length == 0 ? 0 : bytes.Length / destination.Length;
        for (int start = 0; start < destination.Length; start += Part)
        {
            Span<float> part = destination[start..Math.Min(start + Part, destination.Length)];
            ElementConversion.ToFloat32(entry.Type, bytes.Slice(start * size, part.Length * size), part);
            int at = ElementConversion.IndexOfNonFinite(part);
            if (at >= 0) throw new InputException($"{Path}: tensor {Quote.Name(entry.Name)} has the value {part[at]} at element {start + at}, expected finite numbers.");
        }
    }

    /// <summary>Reads a tensor of I32 or I64 as int.</summary>
    /// <param name="entry">The tensor.</param>
    /// <param name="destination">As many elements as the tensor has.</param>
    /// <exception cref="InputException">The element type is not an integer's, or a number does not fit.</exception>
    public void ReadInt32(SafetensorsEntry entry, Span<int> destination)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Type is not (SafetensorsDType.I32 or SafetensorsDType.I64))
            throw new InputException($"{Path}: tensor {Quote.Name(entry.Name)} has dtype {entry.Type.FormatName()}, expected I32 or I64.");
        try
        {
            ElementConversion.ToInt32(entry.Type, GetBytes(entry), destination);
        }
        catch (OverflowException e)
        {
            throw new InputException(
                $"{Path}: tensor {Quote.Name(entry.Name)} has a number beyond 32 bits, expected {int.MinValue} to {int.MaxValue}.", e);
        }
    }

    /// <summary>Compares the file with the checksum that <see cref="SafetensorsWriter.WriteChecked"/> left in it.</summary>
    /// <exception cref="InputException">There is none, or something in the file has changed since.</exception>
    public void RequireChecksum()
    {
        if (!Metadata.TryGetValue(SafetensorsChecksum.Key, out string? expected)) throw new InputException($"{Path}: there is no checksum in the file, expected one.");
        if (Checksum(Metadata) != expected) throw new InputException($"{Path}: the file is damaged, its content does not have the checksum that was written with it.");
    }

    /// <summary>SHA-256 of the tensors, in hexadecimal: names, types, shapes and bytes, without the metadata.</summary>
    public string ContentChecksum() => Checksum([]);

    private string Checksum(IEnumerable<KeyValuePair<string, string>> metadata)
    {
        using var sum = new SafetensorsChecksum();
        sum.Add(metadata);
        foreach (SafetensorsEntry entry in Entries.OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            sum.Add(entry.Name, entry.Type, entry.Shape.ToArray());
            byte* start = GetPointer(entry);
            for (long at = 0; at < entry.ByteLength; at += 1 << 20) sum.Content.Write(new ReadOnlySpan<byte>(start + at, (int)Math.Min(1 << 20, entry.ByteLength - at)));
        }

        return sum.Text;
    }

    /// <summary>Unmaps the file; spans and pointers from it are no longer valid.</summary>
    public void Dispose()
    {
        if (_start is null) return;
        _start = null;
        _view?.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _mapping?.Dispose();
        _memory.Dispose();
    }
}
