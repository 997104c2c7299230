namespace LoRA2.Native.Cuda.Kernels;

/// <summary>One operand of <see cref="AttentionTile"/>: 64 rows of any depth.</summary>
internal interface ITileOperand
{
    /// <summary>Whether neighbours along the depth, rather than rows, are neighbours in memory.</summary>
    bool AlongDepth { get; }

    /// <summary>An element, 0 where there is none.</summary>
    float Element(int row, int depth);

    /// <summary>An element and the three after it in memory.</summary>
    Float4 Four(int row, int depth);
}

/// <summary>Tokens' rows of one head, with the head's columns as depth.</summary>
internal readonly unsafe struct HeadRows(nint x, uint first, int width, int rows, int size, bool fours) : ITileOperand
{
    private readonly float* x = (float*)x;
    private readonly uint first = first;
    private readonly int width = width;
    private readonly int rows = rows;
    private readonly int size = size;
    private readonly bool fours = fours;

    public bool AlongDepth => true;

    public float Element(int row, int depth)
    {
        float value = 0;
        if (row < rows && depth < size) value = x[first + ((uint)row * (uint)width) + (uint)depth];
        return value;
    }

    public Float4 Four(int row, int depth)
    {
        if (!fours) return new(Element(row, depth), Element(row, depth + 1), Element(row, depth + 2), Element(row, depth + 3));
        Float4 value = default;
        if (row < rows && depth < size) value = *(Float4*)(x + (first + ((uint)row * (uint)width) + (uint)depth));
        return value;
    }
}

/// <summary>One head's columns, with tokens as depth.</summary>
internal readonly unsafe struct HeadColumns(nint x, uint first, int width, int tokens, int columns, bool fours) : ITileOperand
{
    private readonly float* x = (float*)x;
    private readonly uint first = first;
    private readonly int width = width;
    private readonly int tokens = tokens;
    private readonly int columns = columns;
    private readonly bool fours = fours;

    public bool AlongDepth => false;

    public float Element(int row, int depth)
    {
        float value = 0;
        if (row < columns && depth < tokens) value = x[first + ((uint)depth * (uint)width) + (uint)row];
        return value;
    }

    public Float4 Four(int row, int depth)
    {
        if (!fours) return new(Element(row, depth), Element(row + 1, depth), Element(row + 2, depth), Element(row + 3, depth));
        Float4 value = default;
        if (row < columns && depth < tokens) value = *(Float4*)(x + (first + ((uint)depth * (uint)width) + (uint)row));
        return value;
    }
}

/// <summary>Rows of a position table for consecutive distances from <c>distance</c> on (some before the first or past the last), with a head's columns as depth.</summary>
internal readonly unsafe struct PositionRows(nint table, uint first, int width, nint rowOf, int distance, int distances, int size, bool fours) : ITileOperand
{
    private readonly float* table = (float*)table;
    private readonly int* rowOf = (int*)rowOf;
    private readonly uint first = first;
    private readonly int width = width;
    private readonly int distance = distance;
    private readonly int distances = distances;
    private readonly int size = size;
    private readonly bool fours = fours;

    public bool AlongDepth => true;

    public float Element(int row, int depth)
    {
        int number = distance + row;
        float value = 0;
        if (number >= 0 && number < distances && depth < size) value = table[first + ((uint)rowOf[(uint)number] * (uint)width) + (uint)depth];
        return value;
    }

    public Float4 Four(int row, int depth)
    {
        if (!fours) return new(Element(row, depth), Element(row, depth + 1), Element(row, depth + 2), Element(row, depth + 3));
        int number = distance + row;
        Float4 value = default;
        if (number >= 0 && number < distances && depth < size) value = *(Float4*)(table + (first + ((uint)rowOf[(uint)number] * (uint)width) + (uint)depth));
        return value;
    }
}

/// <summary>A head's columns of a position table, with consecutive distances from <c>distance</c> on as depth.</summary>
internal readonly unsafe struct PositionColumns(nint table, uint first, int width, nint rowOf, int distance, int distances, int columns, bool fours) : ITileOperand
{
    private readonly float* table = (float*)table;
    private readonly int* rowOf = (int*)rowOf;
    private readonly uint first = first;
    private readonly int width = width;
    private readonly int distance = distance;
    private readonly int distances = distances;
    private readonly int columns = columns;
    private readonly bool fours = fours;

    public bool AlongDepth => false;

    public float Element(int row, int depth)
    {
        int number = distance + depth;
        float value = 0;
        if (number >= 0 && number < distances && row < columns) value = table[first + ((uint)rowOf[(uint)number] * (uint)width) + (uint)row];
        return value;
    }

    public Float4 Four(int row, int depth)
    {
        if (!fours) return new(Element(row, depth), Element(row + 1, depth), Element(row + 2, depth), Element(row + 3, depth));
        int number = distance + depth;
        Float4 value = default;
        if (number >= 0 && number < distances && row < columns) value = *(Float4*)(table + (first + ((uint)rowOf[(uint)number] * (uint)width) + (uint)row));
        return value;
    }
}

/// <summary>Rows of a head's length × length scores, with keys as depth.</summary>
internal readonly unsafe struct ScoreRows(nint x, uint first, int length, int row) : ITileOperand
{
    private readonly float* x = (float*)x;
    private readonly uint first = first;
    private readonly int length = length;
    private readonly int start = row;

    public bool AlongDepth => true;

    public float Element(int row, int depth)
    {
        row += start;
        float value = 0;
        if (row < length && depth < length) value = x[first + ((uint)row * (uint)length) + (uint)depth];
        return value;
    }

    public Float4 Four(int row, int depth) => new(Element(row, depth), Element(row, depth + 1), Element(row, depth + 2), Element(row, depth + 3));
}

/// <summary>Columns of a head's scores, with queries as depth.</summary>
internal readonly unsafe struct ScoreColumns(nint x, uint first, int length, int column) : ITileOperand
{
    private readonly float* x = (float*)x;
    private readonly uint first = first;
    private readonly int length = length;
    private readonly int start = column;

    public bool AlongDepth => false;

    public float Element(int row, int depth)
    {
        row += start;
        float value = 0;
        if (row < length && depth < length) value = x[first + ((uint)depth * (uint)length) + (uint)row];
        return value;
    }

    public Float4 Four(int row, int depth) => new(Element(row, depth), Element(row + 1, depth), Element(row + 2, depth), Element(row + 3, depth));
}

/// <summary>Columns of the probabilities after dropout, made from kept ones (a sign bit says what was dropped), with queries as depth.</summary>
internal readonly unsafe struct UsedColumns(nint x, uint first, int length, int column, float keepScale) : ITileOperand
{
    private readonly float* x = (float*)x;
    private readonly uint first = first;
    private readonly int length = length;
    private readonly int start = column;
    private readonly float keepScale = keepScale;

    public bool AlongDepth => false;

    public float Element(int row, int depth)
    {
        row += start;
        float value = 0;
        if (row < length && depth < length) value = x[first + ((uint)depth * (uint)length) + (uint)row];
        return value < 0 ? 0 : value * keepScale;
    }

    public Float4 Four(int row, int depth) => new(Element(row, depth), Element(row + 1, depth), Element(row + 2, depth), Element(row + 3, depth));
}

/// <summary>Queries' rows of a head's scores, with distances from <c>distance</c> on as depth: the key is query + length − 1 − distance.</summary>
internal readonly unsafe struct QueryDistances(nint x, uint first, int length, int query, int distance) : ITileOperand
{
    private readonly float* x = (float*)x;
    private readonly uint first = first;
    private readonly int length = length;
    private readonly int query = query;
    private readonly int distance = distance;

    public bool AlongDepth => true;

    public float Element(int row, int depth)
    {
        int i = query + row, j = i + length - 1 - distance - depth;
        float value = 0;
        if (i < length && j >= 0 && j < length) value = x[first + ((uint)i * (uint)length) + (uint)j];
        return value;
    }

    public Float4 Four(int row, int depth) => new(Element(row, depth), Element(row, depth + 1), Element(row, depth + 2), Element(row, depth + 3));
}

/// <summary>Keys' columns of a head's scores, with distances from <c>distance</c> on as depth: the query is distance + key − length + 1.</summary>
internal readonly unsafe struct KeyDistances(nint x, uint first, int length, int key, int distance) : ITileOperand
{
    private readonly float* x = (float*)x;
    private readonly uint first = first;
    private readonly int length = length;
    private readonly int key = key;
    private readonly int distance = distance;

    public bool AlongDepth => true;

    public float Element(int row, int depth)
    {
        int j = key + row, i = distance + depth + j - length + 1;
        float value = 0;
        if (j < length && i >= 0 && i < length) value = x[first + ((uint)i * (uint)length) + (uint)j];
        return value;
    }

    public Float4 Four(int row, int depth) => new(Element(row, depth), Element(row, depth + 1), Element(row, depth + 2), Element(row, depth + 3));
}

/// <summary>A head's scores by distance, from <c>distance</c> on, with queries from <c>query</c> on as depth.</summary>
internal readonly unsafe struct DistanceRowsByQuery(nint x, uint first, int length, int distance, int query) : ITileOperand
{
    private readonly float* x = (float*)x;
    private readonly uint first = first;
    private readonly int length = length;
    private readonly int distance = distance;
    private readonly int query = query;

    public bool AlongDepth => false;

    public float Element(int row, int depth)
    {
        int i = query + depth, j = i + length - 1 - distance - row;
        float value = 0;
        if (i < length && j >= 0 && j < length) value = x[first + ((uint)i * (uint)length) + (uint)j];
        return value;
    }

    public Float4 Four(int row, int depth) => new(Element(row, depth), Element(row + 1, depth), Element(row + 2, depth), Element(row + 3, depth));
}

/// <summary>A head's scores by distance, from <c>distance</c> on, with keys from <c>key</c> on as depth.</summary>
internal readonly unsafe struct DistanceRowsByKey(nint x, uint first, int length, int distance, int key) : ITileOperand
{
    private readonly float* x = (float*)x;
    private readonly uint first = first;
    private readonly int length = length;
    private readonly int distance = distance;
    private readonly int key = key;

    public bool AlongDepth => true;

    public float Element(int row, int depth)
    {
        int j = key + depth, i = distance + row + j - length + 1;
        float value = 0;
        if (j < length && i >= 0 && i < length) value = x[first + ((uint)i * (uint)length) + (uint)j];
        return value;
    }

    public Float4 Four(int row, int depth) => new(Element(row, depth), Element(row, depth + 1), Element(row, depth + 2), Element(row, depth + 3));
}
