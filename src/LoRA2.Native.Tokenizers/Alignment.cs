namespace LoRA2.Native.Tokenizers;

/// <summary>Where each character of a text that was made of another came from: a range of the other's characters, or bytes, counted as the text that a user gave is.</summary>
internal sealed class Alignment
{
    private readonly List<(int Start, int End)> _ranges = [];

    public int Count => _ranges.Count;

    public void Clear() => _ranges.Clear();

    public void Truncate(int count) => _ranges.RemoveRange(count, _ranges.Count - count);

    public void Add(int start, int end) => _ranges.Add((start, end));

    public void Replace(int index, int start, int end) => _ranges[index] = (start, end);

    /// <summary>The range that characters <paramref name="start"/> to <paramref name="end"/> came from; that of nothing is the place before the next.</summary>
    public (int Start, int End) Of(int start, int end)
    {
        if (_ranges.Count == 0)
            return (0, 0);
        if (start < end)
            return (_ranges[start].Start, _ranges[end - 1].End);
        var place = start < _ranges.Count ? _ranges[start].Start : _ranges[^1].End;
        return (place, place);
    }

    /// <summary>A copy of what follows <paramref name="start"/>.</summary>
    public Alignment From(int start)
    {
        var copy = new Alignment();
        copy._ranges.AddRange(_ranges[start..]);
        return copy;
    }
}
