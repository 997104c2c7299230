namespace LoRA2.Native.Tokenizers.Unicode;

/// <summary>One byte for every code point, in pages of 256 of which equal ones are stored once.</summary>
internal sealed class PagedTable
{
    private const int CodePoints = 0x110000;
    private readonly byte[] _data;
    private readonly ushort[] _pages = new ushort[CodePoints >> 8];

    public PagedTable(ReadOnlySpan<byte> values)
    {
        var data = new List<byte>();
        var known = new Dictionary<string, ushort>();
        for (var page = 0; page < _pages.Length; page++)
        {
            var slice = values.Slice(page << 8, 256);
            var key = Convert.ToHexString(slice);
            if (!known.TryGetValue(key, out var index))
            {
                index = (ushort)(data.Count >> 8);
                known.Add(key, index);
                data.AddRange(slice);
            }

            _pages[page] = index;
        }

        _data = [.. data];
    }

    public byte this[int codePoint] => _data[(_pages[codePoint >> 8] << 8) | (codePoint & 255)];
}
