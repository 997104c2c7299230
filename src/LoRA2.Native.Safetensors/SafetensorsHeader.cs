using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;
using LoRA2.Native.Files;

namespace LoRA2.Native.Safetensors;

/// <summary>
/// Reads and checks a safetensors header: 8 bytes little-endian length N, then N bytes of JSON object, then the data.
/// Format: https://github.com/huggingface/safetensors#format. Nothing is trusted: after <see cref="Parse"/> every entry lies inside the
/// file, holds exactly shape × dtype bytes, and the entries cover the data without a gap or an overlap.
/// </summary>
internal sealed class SafetensorsHeader
{
    public const int LengthBytes = 8;
    public const long LongestHeader = 100_000_000;
    public const string MetadataKey = "__metadata__";

    private readonly string _file;
    private readonly long _dataStart;
    private readonly long _dataLength;

    private SafetensorsHeader(string file, long dataStart, long dataLength)
    {
        _file = file;
        _dataStart = dataStart;
        _dataLength = dataLength;
    }

    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>The entries in the order of their bytes.</summary>
    public List<SafetensorsEntry> Entries { get; } = [];

    public Dictionary<string, SafetensorsEntry> ByName { get; } = new(StringComparer.Ordinal);

    /// <summary>Checks the length prefix and returns the header's length in bytes.</summary>
    public static long CheckLength(string file, ReadOnlySpan<byte> prefix, long fileLength)
    {
        if (fileLength < LengthBytes || prefix.Length < LengthBytes)
            throw new InputException($"{file}: the file has {fileLength} bytes, expected at least the {LengthBytes} of the header length.");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length == 0)
            throw new InputException($"{file}: the header length is 0, expected a JSON object of at least 2 bytes.");
        if (length > LongestHeader)
            throw new InputException($"{file}: the header length is {length}, expected at most {LongestHeader} bytes.");
        if ((long)length > fileLength - LengthBytes)
            throw new InputException(
                $"{file}: the header length is {length}, expected at most the {fileLength - LengthBytes} bytes left in the file.");
        return (long)length;
    }

    public static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> json, long fileLength)
    {
        long start = LengthBytes + json.Length;
        var header = new SafetensorsHeader(file, start, fileLength - start);
        if (json[0] != (byte)'{')
            throw new InputException($"{file}: the header starts with byte 0x{json[0]:x2}, expected '{{'.");
        if (!Utf8.IsValid(json))
            throw new InputException($"{file}: the header is not valid UTF-8, expected JSON in UTF-8.");
        try
        {
            header.ReadObject(json);
        }
        catch (JsonException e)
        {
            throw new InputException(
                $"{file}: the header is not valid JSON (at byte {LengthBytes + (e.BytePositionInLine ?? 0)}), expected one object.", e);
        }
        catch (InvalidOperationException e)
        {
            throw new InputException($"{file}: the header has a string that is not valid Unicode, expected JSON in UTF-8.", e);
        }
        header.CheckLayout();
        return header;
    }

    private void ReadObject(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        bool metadataSeen = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (name == MetadataKey)
            {
                if (metadataSeen) throw Bad($"{MetadataKey} appears twice, expected once");
                metadataSeen = true;
                ReadMetadata(ref reader);
                continue;
            }
            if (ByName.ContainsKey(name)) throw Bad($"tensor {Quote.Name(name)} appears twice, expected each name once");
            SafetensorsEntry entry = ReadEntry(ref reader, name);
            ByName.Add(name, entry);
            Entries.Add(entry);
        }
        // Anything but white space after the object is not JSON: this Read throws.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Bad($"{MetadataKey} is {Kind(reader.TokenType)}, expected an object of strings");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw Bad($"{MetadataKey} key {Quote.Name(key)} is {Kind(reader.TokenType)}, expected a string");
            if (!Metadata.TryAdd(key, reader.GetString()!)) throw Bad($"{MetadataKey} key {Quote.Name(key)} appears twice, expected once");
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        string tensor = $"tensor {Quote.Name(name)}";
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Bad($"{tensor} is {Kind(reader.TokenType)}, expected an object with dtype, shape and data_offsets");
        SafetensorsDType? type = null;
        long[]? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string field = reader.GetString()!;
            reader.Read();
            bool twice = false;
            switch (field)
            {
                case "dtype":
                    twice = type is not null;
                    type = ReadType(ref reader, tensor);
                    break;
                case "shape":
                    twice = shape is not null;
                    shape = ReadNumbers(ref reader, tensor, field);
                    break;
                case "data_offsets":
                    twice = offsets is not null;
                    offsets = ReadNumbers(ref reader, tensor, field);
                    break;
                default:
                    throw Bad($"{tensor} has a field {Quote.Name(field)}, expected only dtype, shape and data_offsets");
            }
            if (twice) throw Bad($"{tensor} has {field} twice, expected once");
        }
        if (type is null || shape is null || offsets is null)
        {
            string missing = type is null ? "dtype" : shape is null ? "shape" : "data_offsets";
            throw Bad($"{tensor} has no {missing}, expected dtype, shape and data_offsets");
        }
        return CheckEntry(name, tensor, type.Value, shape, offsets);
    }

    private SafetensorsDType ReadType(ref Utf8JsonReader reader, string tensor)
    {
        if (reader.TokenType != JsonTokenType.String)
            throw Bad($"{tensor} has a dtype that is {Kind(reader.TokenType)}, expected a string");
        string name = reader.GetString()!;
        return SafetensorsDTypeExtensions.TryParse(name, out SafetensorsDType type)
            ? type
            : throw Bad(
                $"{tensor} has the unknown dtype {Quote.Name(name)}, expected one of F32, F16, BF16, F64, I64, I32 or another of the format");
    }

    private long[] ReadNumbers(ref Utf8JsonReader reader, string tensor, string field)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Bad($"{tensor} has a {field} that is {Kind(reader.TokenType)}, expected an array");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || reader.ValueSpan[0] == (byte)'-')
            {
                string found = reader.TokenType == JsonTokenType.Number
                    ? System.Text.Encoding.UTF8.GetString(reader.ValueSpan[..Math.Min(reader.ValueSpan.Length, 40)])
                    : Kind(reader.TokenType);
                throw Bad($"{tensor} has {found} in its {field}, expected whole numbers from 0 to {long.MaxValue}");
            }
            numbers.Add(number);
        }
        return [.. numbers];
    }

    private SafetensorsEntry CheckEntry(string name, string tensor, SafetensorsDType type, long[] shape, long[] offsets)
    {
        if (offsets.Length != 2) throw Bad($"{tensor} has {offsets.Length} data_offsets, expected 2 (begin and end)");
        long begin = offsets[0], end = offsets[1];
        if (begin > end) throw Bad($"{tensor} begins at {begin} and ends at {end}, expected begin <= end");
        long bytes = type.Size();
        foreach (long dimension in shape)
        {
            if (dimension != 0 && bytes > long.MaxValue / dimension)
                throw Bad($"{tensor} has a shape whose size in bytes overflows, expected at most {long.MaxValue} bytes");
            bytes *= dimension;
        }
        var entry = new SafetensorsEntry(_file, name, type, shape, _dataStart + begin, end - begin);
        if (bytes != end - begin)
        {
            string shown = shape.Length > 8 ? $"{shape.Length} dimensions" : entry.ShapeText;
            throw Bad($"{tensor} has {end - begin} bytes from {begin} to {end}, expected {bytes} for {type.FormatName()} {shown}");
        }
        if (end > _dataLength)
        {
            throw Bad(
                $"{tensor} ends at byte {end} of the data, expected at most the {_dataLength} bytes of data the file has (is it truncated?)");
        }
        return entry;
    }

    private void CheckLayout()
    {
        Entries.Sort((a, b) => a.ByteOffset != b.ByteOffset ? a.ByteOffset.CompareTo(b.ByteOffset)
            : a.ByteLength != b.ByteLength ? a.ByteLength.CompareTo(b.ByteLength) : string.CompareOrdinal(a.Name, b.Name));
        long next = _dataStart;
        string previous = "the header";
        foreach (SafetensorsEntry entry in Entries)
        {
            string tensor = $"tensor {Quote.Name(entry.Name)}";
            long begin = entry.ByteOffset - _dataStart;
            if (entry.ByteOffset < next)
                throw Bad($"{tensor} begins at byte {begin} and overlaps {previous}, expected it to begin at {next - _dataStart}");
            if (entry.ByteOffset > next)
                throw Bad($"{tensor} begins at byte {begin} and leaves a hole after {previous}, expected it to begin at {next - _dataStart}");
            next = entry.ByteOffset + entry.ByteLength;
            previous = tensor;
        }
        long trailing = _dataStart + _dataLength - next;
        if (trailing > 0) throw Bad($"{trailing} bytes follow {previous}, expected the file to end there");
    }

    private static string Kind(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "true or false",
    };

    private InputException Bad(string what) => new($"{_file}: {what}.");
}
