using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Safetensors;

/// <summary>
/// Collects tensors and writes them as one safetensors file, byte for byte as HuggingFace's own writer orders and pads it: by element
/// type (the widest first), then by name; the header padded with spaces to a multiple of 8 bytes, so the data is aligned.
/// </summary>
public sealed class SafetensorsWriter
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);
    private readonly Dictionary<string, Item> _items = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);

    /// <summary>Makes an empty writer.</summary>
    /// <param name="metadata">The header's <c>__metadata__</c>; null for what <c>transformers</c> expects, <c>format: pt</c>.</param>
    public SafetensorsWriter(IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        foreach ((string key, string value) in metadata ?? [new("format", "pt")]) _metadata.Add(key, value);
    }

    /// <summary>Adds a tensor whose bytes are at hand; they are read when the file is written.</summary>
    /// <param name="name">A name not yet added.</param>
    /// <param name="dtype">The type of the elements.</param>
    /// <param name="shape">The sizes of the dimensions; empty for a scalar.</param>
    /// <param name="bytes">Little-endian elements, as many bytes as shape × dtype.</param>
    public void Add(string name, SafetensorsDType dtype, ReadOnlySpan<long> shape, ReadOnlyMemory<byte> bytes)
    {
        long length = Add(name, dtype, shape, stream => stream.Write(bytes.Span));
        if (bytes.Length != length)
        {
            _items.Remove(name);
            throw new ArgumentException($"Tensor {Quote.Name(name)} has {bytes.Length} bytes, expected {length}.", nameof(bytes));
        }
    }

    /// <summary>Adds a tensor that writes itself.</summary>
    /// <param name="name">A name not yet added.</param>
    /// <param name="dtype">The type of the elements.</param>
    /// <param name="shape">The sizes of the dimensions; empty for a scalar.</param>
    /// <param name="write">Writes exactly shape × dtype bytes, little-endian, when the file is written.</param>
    /// <returns>The bytes expected of <paramref name="write"/>.</returns>
    public long Add(string name, SafetensorsDType dtype, ReadOnlySpan<long> shape, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(write);
        if (name == SafetensorsHeader.MetadataKey) throw new ArgumentException($"{name} is not a tensor's name.", nameof(name));
        _ = StrictUtf8.GetByteCount(name);
        long length = dtype.Size();
        foreach (long dimension in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(dimension, nameof(shape));
            length = checked(length * dimension);
        }
        if (!_items.TryAdd(name, new Item(name, dtype, shape.ToArray(), length, write)))
            throw new ArgumentException($"Tensor {Quote.Name(name)} was already added.", nameof(name));
        return length;
    }

    /// <summary>Writes the file atomically; see <see cref="AtomicFile.Write"/>.</summary>
    public void Write(string path) => AtomicFile.Write(path, Write);

    /// <summary>
    /// Writes the file atomically with a checksum of everything in it, and reads it back before it takes an earlier file's place: that one is there until the new one
    /// is whole. <see cref="SafetensorsFile.RequireChecksum"/> checks it again.
    /// </summary>
    /// <exception cref="IOException">The disk refused, or gave back something else than was written.</exception>
    public void WriteChecked(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        _metadata[SafetensorsChecksum.Key] = Checksum();
        AtomicFile.Write(path, Write, written =>
        {
            try
            {
                using SafetensorsFile file = SafetensorsFile.Open(written);
                file.RequireChecksum();
            }
            catch (InputException e)
            {
                throw new IOException($"{path}: what was written could not be read back ({e.Message.TrimEnd('.')}); the file before it was kept.", e);
            }
        });
    }

    private string Checksum()
    {
        using var sum = new SafetensorsChecksum();
        sum.Add(_metadata);
        foreach (Item item in _items.Values.OrderBy(item => item.Name, StringComparer.Ordinal))
        {
            sum.Add(item.Name, item.Type, item.Shape);
            item.Write(sum.Content);
        }

        return sum.Text;
    }

    /// <summary>Writes the file's content to a stream that can tell its position.</summary>
    /// <exception cref="InvalidOperationException">A tensor wrote fewer or more bytes than its shape and type take.</exception>
    public void Write(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Item[] items = [.. _items.Values];
        Array.Sort(items, (a, b) => a.Type != b.Type ? b.Type.CompareTo(a.Type) : string.CompareOrdinal(a.Name, b.Name));
        stream.Write(Header(items));
        foreach (Item item in items)
        {
            long start = stream.Position;
            item.Write(stream);
            if (stream.Position - start != item.Length)
                throw new InvalidOperationException(
                    $"Tensor {Quote.Name(item.Name)} wrote {stream.Position - start} bytes, expected {item.Length}.");
        }
    }

    private byte[] Header(Item[] items)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (_metadata.Count > 0)
            {
                json.WriteStartObject(SafetensorsHeader.MetadataKey);
                foreach ((string key, string value) in _metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long begin = 0;
            foreach (Item item in items)
            {
                json.WriteStartObject(item.Name);
                json.WriteString("dtype", item.Type.FormatName());
                json.WriteStartArray("shape");
                foreach (long dimension in item.Shape) json.WriteNumberValue(dimension);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(begin);
                json.WriteNumberValue(begin += item.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        int length = (buffer.WrittenCount + 7) / 8 * 8;
        byte[] header = new byte[SafetensorsHeader.LengthBytes + length];
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)length);
        header.AsSpan(SafetensorsHeader.LengthBytes).Fill((byte)' ');
        buffer.WrittenSpan.CopyTo(header.AsSpan(SafetensorsHeader.LengthBytes));
        return header;
    }

    private sealed record Item(string Name, SafetensorsDType Type, long[] Shape, long Length, Action<Stream> Write);
}
