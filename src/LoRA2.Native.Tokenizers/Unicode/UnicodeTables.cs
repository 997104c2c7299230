using System.IO.Compression;

namespace LoRA2.Native.Tokenizers.Unicode;

/// <summary>Unicode facts kept with the tokenizers, because their results must not change with the runtime's Unicode version.</summary>
internal static partial class UnicodeTables
{
    static UnicodeTables()
    {
        using var deflated = new DeflateStream(new MemoryStream(Convert.FromBase64String(Data)), CompressionMode.Decompress);
        using var raw = new MemoryStream();
        deflated.CopyTo(raw);
        var reader = new VarintReader(raw.ToArray());
        PythonClasses = reader.ReadRuns();
        RustClasses = reader.ReadRuns();
        CombiningClasses = reader.ReadRuns();

        var count = reader.Read();
        for (int i = 0, codePoint = 0; i < count; i++)
        {
            codePoint += reader.Read();
            var header = reader.Read();
            var target = new int[header >> 1];
            for (var j = 0; j < target.Length; j++)
                target[j] = reader.Read();
            ((header & 1) == 0 ? Canonical : Compatibility).Add(codePoint, target);
        }

        var excluded = new HashSet<int>();
        count = reader.Read();
        for (int i = 0, codePoint = 0; i < count; i++)
            excluded.Add(codePoint += reader.Read());
        foreach (var (codePoint, parts) in Canonical)
        {
            if (parts.Length == 2 && !excluded.Contains(codePoint))
                Compositions.Add(((long)parts[0] << 32) | (uint)parts[1], codePoint);
        }
    }

    /// <summary>The <see cref="CharClass"/> of each code point in Unicode 14.0.0, unassigned ones counting as control characters,
    /// as Python 3.11's <c>unicodedata</c> says.</summary>
    public static PagedTable PythonClasses { get; }

    /// <summary>The <see cref="CharClass"/> of each code point in Unicode 8.0.0, unassigned ones counting as other characters,
    /// as the Rust crate <c>unicode_categories</c> says.</summary>
    public static PagedTable RustClasses { get; }

    /// <summary>Canonical combining classes.</summary>
    public static PagedTable CombiningClasses { get; }

    /// <summary>Canonical decompositions, one step.</summary>
    public static Dictionary<int, int[]> Canonical { get; } = [];

    /// <summary>Compatibility decompositions, one step.</summary>
    public static Dictionary<int, int[]> Compatibility { get; } = [];

    /// <summary>Primary composites by (first &lt;&lt; 32 | second).</summary>
    public static Dictionary<long, int> Compositions { get; } = [];

    private ref struct VarintReader(byte[] data)
    {
        private int _position;

        public int Read()
        {
            var value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var b = data[_position++];
                value |= (b & 127) << shift;
                if (b < 128)
                    return value;
            }
        }

        public PagedTable ReadRuns()
        {
            var values = new byte[0x110000];
            for (var start = 0; start < values.Length;)
            {
                var length = Read();
                values.AsSpan(start, length).Fill((byte)Read());
                start += length;
            }

            return new PagedTable(values);
        }
    }
}
