namespace LoRA2.Native.Cuda.Kernels.Attention;

/// <summary>One operand of <see cref="AttentionTile"/>: 64 rows of any depth.</summary>
internal interface ITileOperand
{
    /// <summary>Whether neighbours along the depth, rather than rows, are neighbours in memory.</summary>
    bool AlongDepth { get; }

    /// <summary>An element, 0 where there is none.</summary>
    float Element(int row, int depth);

    /// <summary>An element and the three after it in memory, in bfloat16; the first one's number is a multiple of 4.</summary>
    ulong Rounded(int row, int depth);
}

/// <summary>Tokens' rows of one head, with the head's columns as depth; of floats, or for products on the tensor cores of bfloat16.</summary>
internal readonly unsafe struct HeadRows(nint x, uint first, int width, int rows, int size) : ITileOperand
{
    private readonly float* x = (float*)x;
    private readonly uint first = first;
    private readonly int width = width;
    private readonly int rows = rows;
    private readonly int size = size;

    public bool AlongDepth => true;

    public float Element(int row, int depth)
    {
        float value = 0;
        if (row < rows && depth < size) value = x[first + ((uint)row * (uint)width) + (uint)depth];
        return value;
    }

    public ulong Rounded(int row, int depth)
    {
        ulong value = 0;
        if (row < rows && depth < size) value = *(ulong*)((ushort*)x + (first + ((uint)row * (uint)width) + (uint)depth));
        return value;
    }
}

/// <summary>One head's columns, with tokens as depth; of floats, or for products on the tensor cores of bfloat16.</summary>
internal readonly unsafe struct HeadColumns(nint x, uint first, int width, int tokens, int columns) : ITileOperand
{
    private readonly float* x = (float*)x;
    private readonly uint first = first;
    private readonly int width = width;
    private readonly int tokens = tokens;
    private readonly int columns = columns;

    public bool AlongDepth => false;

    public float Element(int row, int depth)
    {
        float value = 0;
        if (row < columns && depth < tokens) value = x[first + ((uint)depth * (uint)width) + (uint)row];
        return value;
    }

    public ulong Rounded(int row, int depth)
    {
        ulong value = 0;
        if (row < columns && depth < tokens) value = *(ulong*)((ushort*)x + (first + ((uint)depth * (uint)width) + (uint)row));
        return value;
    }
}

/// <summary>Rows of a position table for consecutive distances from <c>distance</c> on (some before the first or past the last), with a head's columns as depth.</summary>
internal readonly unsafe struct PositionRows(nint table, uint first, int width, nint rowOf, int distance, int distances, int size) : ITileOperand
{
    private readonly float* table = (float*)table;
    private readonly int* rowOf = (int*)rowOf;
    private readonly uint first = first;
    private readonly int width = width;
    private readonly int distance = distance;
    private readonly int distances = distances;
    private readonly int size = size;

    public bool AlongDepth => true;

    public float Element(int row, int depth)
    {
        int number = distance + row;
        float value = 0;
        if (number >= 0 && number < distances && depth < size) value = table[first + ((uint)rowOf[(uint)number] * (uint)width) + (uint)depth];
        return value;
    }

    public ulong Rounded(int row, int depth)
    {
        int number = distance + row;
        Float4 value = default;
        if (number >= 0 && number < distances && depth < size) value = *(Float4*)(table + (first + ((uint)rowOf[(uint)number] * (uint)width) + (uint)depth));
        return AttentionTile.Rounded(value);
    }
}

/// <summary>A head's columns of a position table, with consecutive distances from <c>distance</c> on as depth.</summary>
internal readonly unsafe struct PositionColumns(nint table, uint first, int width, nint rowOf, int distance, int distances, int columns) : ITileOperand
{
    private readonly float* table = (float*)table;
    private readonly int* rowOf = (int*)rowOf;
    private readonly uint first = first;
    private readonly int width = width;
    private readonly int distance = distance;
    private readonly int distances = distances;
    private readonly int columns = columns;

    public bool AlongDepth => false;

    public float Element(int row, int depth)
    {
        int number = distance + depth;
        float value = 0;
        if (number >= 0 && number < distances && row < columns) value = table[first + ((uint)rowOf[(uint)number] * (uint)width) + (uint)row];
        return value;
    }

    public ulong Rounded(int row, int depth)
    {
        int number = distance + depth;
        Float4 value = default;
        if (number >= 0 && number < distances && row < columns) value = *(Float4*)(table + (first + ((uint)rowOf[(uint)number] * (uint)width) + (uint)row));
        return AttentionTile.Rounded(value);
    }
}
