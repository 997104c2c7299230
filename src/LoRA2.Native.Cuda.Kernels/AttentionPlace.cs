using ILGPU;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>
/// Sizes of an attention, and which head of which sequence a block of threads works at: block number / tiles, counted from <c>firstHead</c>. Tensors are [batch, length, width];
/// scores are [heads from the first, length, length].
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

    /// <summary>First element of the head's columns in a row.</summary>
    public readonly int Column;

    /// <summary>First element of the sequence's rows, in the head's columns.</summary>
    public readonly uint First;

    /// <summary>First element of the head's scores.</summary>
    public readonly uint Scores;

    public AttentionPlace(int tiles, int firstHead, int heads, int length, int width)
    {
        Length = length;
        Width = width;
        Size = width / heads;
        Distances = (2 * length) - 1;
        int local = Grid.IdxX / tiles;
        Tile = (Grid.IdxX - (local * tiles)) * AttentionTile.Side;
        Number = firstHead + local;
        Batch = Number / heads;
        Column = (Number - (Batch * heads)) * Size;
        First = ((uint)Batch * (uint)length * (uint)width) + (uint)Column;
        Scores = (uint)local * (uint)length * (uint)length;
    }

    /// <summary>First element of a token's row, in the head's columns.</summary>
    public uint Row(int token) => First + ((uint)token * (uint)Width);

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
    public void Store(nint to, int token, int column, Square x)
    {
        token += 4 * AttentionTile.Y;
        column += 4 * AttentionTile.X;
        StoreRow((float*)to, token, column, x.Row0);
        StoreRow((float*)to, token + 1, column, x.Row1);
        StoreRow((float*)to, token + 2, column, x.Row2);
        StoreRow((float*)to, token + 3, column, x.Row3);
    }

    private void StoreRow(float* to, int token, int column, Float4 x)
    {
        if (token >= Length) return;
        uint at = Row(token) + (uint)column;
        if (column < Size) to[at] = x.X;
        if (column + 1 < Size) to[at + 1] = x.Y;
        if (column + 2 < Size) to[at + 2] = x.Z;
        if (column + 3 < Size) to[at + 3] = x.W;
    }

    private static int Larger(int a, int b) => a > b ? a : b;
}
