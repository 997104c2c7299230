using System.Buffers.Binary;
using LoRA2.Native.Files;

namespace LoRA2.Native.Parquet;

/// <summary>
/// Checks a Parquet file's footer before Parquet.Net reads it, whose reader of Thrift's compact protocol goes round for ever where a footer ends too early: every field must be of the type that
/// parquet.thrift gives it, and lie within the footer.
/// </summary>
/// <remarks>https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift and https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.</remarks>
internal ref struct FooterShape
{
    private const int Deepest = 32, TrailerBytes = 8;
    private const byte Stop = 0, False = 2, Byte = 3, Short = 4, Int = 5, Long = 6, Double = 7, Binary = 8, List = 9, Set = 10, Map = 11, Struct = 12, Uuid = 13;

    /// <summary>A struct's fields by number: a letter a type (b bool, y byte, s i16, i i32, l i64, d double, t text or bytes), a name a struct, and either in brackets a list of it.</summary>
    private static readonly Dictionary<string, Dictionary<int, string>> Structs = new()
    {
        ["FileMetaData"] = Fields("i [SchemaElement] l [RowGroup] [KeyValue] t [ColumnOrder] ? t"),
        ["SchemaElement"] = Fields("i i i t i i i i i LogicalType"),
        ["LogicalType"] = Fields("Empty Empty Empty Empty Decimal Empty Time Time ? Integer Empty Empty Empty Empty Empty Variant Geography Geography"),
        ["Decimal"] = Fields("i i"),
        ["Time"] = Fields("b TimeUnit"),
        ["TimeUnit"] = Fields("Empty Empty Empty"),
        ["Integer"] = Fields("y b"),
        ["Variant"] = Fields("y"),
        ["Geography"] = Fields("t i"),
        ["RowGroup"] = Fields("[ColumnChunk] l l [SortingColumn] l l s"),
        ["SortingColumn"] = Fields("i b b"),
        ["ColumnChunk"] = Fields("t l ColumnMetaData l i l i ? t"),
        ["ColumnMetaData"] = Fields("i [i] [t] i l l l [KeyValue] l l l Statistics [PageEncodingStats] l i SizeStatistics GeospatialStatistics"),
        ["Statistics"] = Fields("t t l l t t b b"),
        ["PageEncodingStats"] = Fields("i i i"),
        ["SizeStatistics"] = Fields("l [l] [l]"),
        ["GeospatialStatistics"] = Fields("BoundingBox [i]"),
        ["BoundingBox"] = Fields("d d d d d d d d"),
        ["KeyValue"] = Fields("t t"),
        ["ColumnOrder"] = Fields("Empty"),
        ["Empty"] = [],
    };

    private readonly string path;
    private readonly ReadOnlySpan<byte> bytes;
    private int at;

    private FooterShape(string path, ReadOnlySpan<byte> bytes)
    {
        this.path = path;
        this.bytes = bytes;
    }

    /// <summary>Refuses a file whose footer can't be read to its end.</summary>
    /// <exception cref="InputException">It is none of a Parquet file.</exception>
    public static void Require(string path, Stream file)
    {
        Span<byte> trailer = stackalloc byte[TrailerBytes];
        if (file.Length < TrailerBytes + 4) throw new InputException($"{path}: a file of {file.Length} bytes is not a Parquet file");
        file.Position = file.Length - TrailerBytes;
        file.ReadExactly(trailer);
        if (!trailer[4..].SequenceEqual("PAR1"u8)) throw new InputException($"{path}: not a Parquet file: it does not end with PAR1");
        int length = BinaryPrimitives.ReadInt32LittleEndian(trailer);
        if (length < 1 || length > file.Length - TrailerBytes - 4) throw new InputException($"{path}: the Parquet footer is said to have {length} bytes; the file has {file.Length}");
        byte[] footer = new byte[length];
        file.Position = file.Length - TrailerBytes - length;
        file.ReadExactly(footer);
        file.Position = 0;
        new FooterShape(path, footer).Walk("FileMetaData", 0);
    }

    private static Dictionary<int, string> Fields(string types) => types.Split(' ').Select((type, i) => (Number: i + 1, Type: type)).Where(field => field.Type != "?").ToDictionary(field => field.Number, field => field.Type);

    /// <summary>Goes through a struct; one whose name is null is of an unknown field.</summary>
    private void Walk(string? name, int depth)
    {
        if (depth > Deepest) throw Wrong("has structures within structures without end");
        int number = 0;
        while (true)
        {
            int header = Next();
            if (header == Stop) return;
            byte type = (byte)(header & 15);
            number = header >> 4 > 0 ? number + (header >> 4) : FieldNumber();
            string? expected = name is null ? null : Structs[name].GetValueOrDefault(number);
            if (expected is not null && !Fits(type, expected)) throw Wrong($"has a field {number} of {name} of another type than parquet.thrift gives it");
            // A bool's value is in its type.
            if (type > False) Value(type, expected, depth);
        }
    }

    private void Value(byte type, string? expected, int depth)
    {
        switch (type)
        {
            case 1 or False or Byte:
                Skip(1);
                break;
            case Short or Int or Long:
                Varint();
                break;
            case Double:
                Skip(8);
                break;
            case Uuid:
                Skip(16);
                break;
            case Binary:
                Skip(Varint());
                break;
            case Struct:
                Walk(expected, depth + 1);
                break;
            case List or Set:
                int header = Next();
                ulong count = header >> 4 < 15 ? (ulong)(header >> 4) : Varint();
                byte item = (byte)(header & 15);
                string? inside = expected?[1..^1];
                if (count > 0 && inside is not null && !Fits(item, inside)) throw Wrong("has a list of another type than parquet.thrift gives it");
                Items(item, inside, count, depth);
                break;
            case Map:
                ulong pairs = Varint();
                if (pairs == 0) break;
                int types = Next();
                for (ulong i = 0; i < pairs; i++)
                {
                    Items((byte)(types >> 4), null, 1, depth);
                    Items((byte)(types & 15), null, 1, depth);
                }

                break;
            default:
                throw Wrong($"has a value of the unknown type {type}");
        }
    }

    // Every item has a byte at least, so a count without end comes to the footer's end soon.
    private void Items(byte type, string? expected, ulong count, int depth)
    {
        if (count > (ulong)bytes.Length) throw Wrong($"has a list of {count} items");
        if (depth > Deepest) throw Wrong("has lists within lists without end");
        for (ulong i = 0; i < count; i++) Value(type, expected, depth + 1);
    }

    private static bool Fits(byte type, string expected) => expected switch
    {
        "b" => type is 1 or False,
        "y" => type == Byte,
        "s" => type == Short,
        "i" => type == Int,
        "l" => type == Long,
        "d" => type == Double,
        "t" => type == Binary,
        ['[', ..] => type == List,
        _ => type == Struct,
    };

    private int Next() => at < bytes.Length ? bytes[at++] : throw Wrong("ends too early");

    private void Skip(ulong count)
    {
        if (count > (ulong)(bytes.Length - at)) throw Wrong("ends too early");
        at += (int)count;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            int next = Next();
            value |= (ulong)(next & 127) << shift;
            if (next < 128) return value;
        }

        throw Wrong("has a number of more than ten bytes");
    }

    // A number that is not a little more than the one before stands by itself, as a signed one of 16 bits.
    private int FieldNumber()
    {
        ulong folded = Varint();
        if (folded > ushort.MaxValue) throw Wrong("has a field whose number is of more than 16 bits");
        return (int)(folded >> 1) ^ -(int)(folded & 1);
    }

    private readonly InputException Wrong(string what) => new($"{path}: the Parquet footer {what} (byte {at} of {bytes.Length})");
}
