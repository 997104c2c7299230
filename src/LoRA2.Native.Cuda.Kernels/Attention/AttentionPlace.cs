using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Attention;

/// <summary>
/// Sizes of an attention, and which head of which sequence a block of threads works at: block number / tiles, counted from <c>firstHead</c>. Tensors are [batch, length, width];
/// a block's own tile is its number's remainder.
/// </summary>
internal readonly unsafe struct AttentionPlace
{
    public readonly int Tile;
    public readonly int Batch;
    public readonly int Length;
    public readonly int Width;
    public readonly int Size;
    public readonly int Distances;

    /// <summary>The head's number among all of the batch.</summary>
    public readonly int Number;

    /// <summary>The head's number from the first on.</summary>
    public readonly int Local;

    /// <summary>First element of the head's columns in a row.</summary>
    public readonly int Column;

    /// <summary>First element of the sequence's rows, in the head's columns.</summary>
    public readonly uint First;

    public AttentionPlace(int firstHead, int heads, int length, int width)
    {
        int tiles = (length + AttentionTile.Side - 1) / AttentionTile.Side;
        Length = length;
        Width = width;
        Size = width / heads;
        Distances = (2 * length) - 1;
        Local = Grid.IdxX / tiles;
        Tile = (Grid.IdxX - (Local * tiles)) * AttentionTile.Side;
        Number = firstHead + Local;
        Batch = Number / heads;
        Column = (Number - (Batch * heads)) * Size;
        First = ((uint)Batch * (uint)length * (uint)width) + (uint)Column;
    }

    /// <summary>First element of a token's row, in the head's columns.</summary>
    public uint Row(int token) => First + ((uint)token * (uint)Width);

    /// <summary>A token's number in [batch, heads, length].</summary>
    public uint RowNumber(int token) => ((uint)Number * (uint)Length) + (uint)token;

    /// <summary>Index of an element in [batch, heads, length, length].</summary>
    public uint Element(int query, int key) => (RowNumber(query) * (uint)Length) + (uint)key;

    /// <summary>The number, from 0, of the least of the 127 distances of two tiles, which begin at these tokens; it may be negative.</summary>
    public int DistanceOf(int query, int key) => query - key + Length - AttentionTile.Side;

    /// <summary>Columns of the head from the block's own 64 on.</summary>
    public int ColumnsFrom(int column) => Size - column;

    /// <summary>The sequence's length without trailing padding; all threads ask. Uses the first word of shared memory.</summary>
    public int Keys(ArrayView<float> shared, nint mask, bool isMasked)
    {
        if (!isMasked) return Length;
        int* words = (int*)mask;
        uint row = (uint)Batch * (uint)Length;
        int last = 0;
        for (int i = Group.IdxX; i < Length; i += Group.DimX)
        {
            if (words[row + (uint)i] != 0) last = i + 1;
        }

        last = Larger(last, Warp.ShuffleXor(last, 16));
        last = Larger(last, Warp.ShuffleXor(last, 8));
        last = Larger(last, Warp.ShuffleXor(last, 4));
        last = Larger(last, Warp.ShuffleXor(last, 2));
        last = Larger(last, Warp.ShuffleXor(last, 1));
        ArrayView<int> found = shared.Cast<int>();
        Group.Barrier();
        if (Group.IdxX % 32 == 0) found[Group.IdxX / 32] = last;
        Group.Barrier();
        for (int i = 0; i < Group.DimX / 32; i++) last = Larger(last, found[i]);
        Group.Barrier();
        return last;
    }

    /// <summary>Whether a token is not padding.</summary>
    public bool IsToken(nint mask, bool isMasked, int token)
    {
        bool is1 = token < Length;
        if (is1 && isMasked) is1 = ((int*)mask)[((uint)Batch * (uint)Length) + (uint)token] != 0;
        return is1;
    }

    /// <summary>Writes a thread's elements of 64 rows and columns of a tensor of the head's shape.</summary>
    public void Store(nint to, int token, int column, bool fours, Square x)
    {
        token += 4 * AttentionTile.Y;
        column += 4 * AttentionTile.X;
        StoreRow((float*)to, token, column, fours, x.Row0);
        StoreRow((float*)to, token + 1, column, fours, x.Row1);
        StoreRow((float*)to, token + 2, column, fours, x.Row2);
        StoreRow((float*)to, token + 3, column, fours, x.Row3);
    }

    /// <summary>What <see cref="Store"/> has written.</summary>
    public Square Load(nint from, int token, int column, bool fours)
    {
        token += 4 * AttentionTile.Y;
        column += 4 * AttentionTile.X;
        return new()
        {
            Row0 = LoadRow((float*)from, token, column, fours),
            Row1 = LoadRow((float*)from, token + 1, column, fours),
            Row2 = LoadRow((float*)from, token + 2, column, fours),
            Row3 = LoadRow((float*)from, token + 3, column, fours),
        };
    }

    /// <summary>Those of four elements that are among the columns; 0 for the others.</summary>
    public static Float4 LoadRow(float* from, int columns, bool fours)
    {
        Float4 x = default;
        if (fours)
        {
            if (columns > 0) x = *(Float4*)from;
            return x;
        }

        if (columns > 0) x.X = from[0];
        if (columns > 1) x.Y = from[1];
        if (columns > 2) x.Z = from[2];
        if (columns > 3) x.W = from[3];
        return x;
    }

    /// <summary>Writes those of four elements that are among the columns.</summary>
    public static void StoreRow(float* to, int columns, bool fours, Float4 x)
    {
        if (fours)
        {
            if (columns > 0) *(Float4*)to = x;
            return;
        }

        if (columns > 0) to[0] = x.X;
        if (columns > 1) to[1] = x.Y;
        if (columns > 2) to[2] = x.Z;
        if (columns > 3) to[3] = x.W;
    }

    private Float4 LoadRow(float* from, int token, int column, bool fours)
    {
        Float4 x = default;
        if (token < Length) x = LoadRow(from + (Row(token) + (uint)column), Size - column, fours);
        return x;
    }

    private void StoreRow(float* to, int token, int column, bool fours, Float4 x)
    {
        if (token < Length) StoreRow(to + (Row(token) + (uint)column), Size - column, fours, x);
    }

    private static int Larger(int a, int b) => a > b ? a : b;
}
