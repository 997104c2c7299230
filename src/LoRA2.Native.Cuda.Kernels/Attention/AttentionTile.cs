using ILGPU;
using ILGPU.Runtime.Cuda;
using LoRA2.Native.Cuda.Kernels.Products;

namespace LoRA2.Native.Cuda.Kernels.Attention;

/// <summary>
/// Products of 64 × 64 tiles by 256 threads, 4 × 4 elements each, through shared memory: in float32 in steps of 16, or on the tensor cores, of operands rounded to bfloat16, in
/// steps of 64 (<see cref="TensorCoreSquare"/>); and a tile of scores in shared memory beside them.
/// Thread (x, y) of 16 × 16 has columns 4 x … 4 x + 3 of rows 4 y … 4 y + 3.
/// </summary>
internal static class AttentionTile
{
    public const int Side = 64;

    /// <summary>Floats of shared memory: a step of both operands, a tile that is an operand (or, in the place of them all, two rounded operands or their product), and another tile.</summary>
    public const int Shared = Tile + (Side * Step);

    private const int Depth = 16;
    private const int Step = Side + 4;
    private const int Right = Depth * Step;
    private const int LineWords = Side / 4;
    private const int RightLines = Side * LineWords;
    private const int Left = 2 * Depth * Step;
    private const int Tile = Left + (Side * Step);

    public static int X => Group.IdxX % 16;

    public static int Y => Group.IdxX / 16;

    /// <summary>sums + a bᵀ.</summary>
    public static Square Product<TLeft, TRight>(bool tensorCores, ArrayView<float> shared, TLeft a, TRight b, int depth, Square sums)
        where TLeft : struct, ITileOperand
        where TRight : struct, ITileOperand
    {
        if (tensorCores)
        {
            for (int done = 0; done < depth; done += Side)
            {
                Group.Barrier();
                Round(shared, 0, a, done);
                Round(shared, RightLines, b, done);
                Group.Barrier();
                sums = MultiplyRounded(shared, a.AlongDepth, b.AlongDepth, sums);
            }

            return sums;
        }

        for (int done = 0; done < depth; done += Depth)
        {
            Float4 left = Load(a, done, depth), right = Load(b, done, depth);
            Group.Barrier();
            Store(shared, 0, a.AlongDepth, left);
            Store(shared, Right, b.AlongDepth, right);
            Group.Barrier();
            sums = Multiply(shared, 0, sums);
        }

        return sums;
    }

    /// <summary>sums + a bᵀ, where a is the threads' tile, or that turned, and 64 deep.</summary>
    public static Square Product<TRight>(bool tensorCores, ArrayView<float> shared, Square a, bool turned, TRight b, Square sums)
        where TRight : struct, ITileOperand
    {
        Group.Barrier();
        if (tensorCores)
        {
            RoundRow(shared, 4 * Y, a.Row0);
            RoundRow(shared, (4 * Y) + 1, a.Row1);
            RoundRow(shared, (4 * Y) + 2, a.Row2);
            RoundRow(shared, (4 * Y) + 3, a.Row3);
            Round(shared, RightLines, b, 0);
            Group.Barrier();
            return MultiplyRounded(shared, !turned, b.AlongDepth, sums);
        }

        if (turned) Store(shared, Left, a);
        else StoreTurned(shared, a);
        for (int done = 0; done < Side; done += Depth)
        {
            Float4 right = Load(b, done, Side);
            Group.Barrier();
            Store(shared, Right, b.AlongDepth, right);
            Group.Barrier();
            sums = Multiply(shared, Left + (done * Step), sums);
        }

        return sums;
    }

    /// <summary>Four elements in bfloat16.</summary>
    public static ulong Rounded(Float4 x) => BFloat16Terms.Rounded(x.X, x.Y) | ((ulong)BFloat16Terms.Rounded(x.Z, x.W) << 32);

    /// <summary>Stores the tile, by rows, where products leave it.</summary>
    public static void Store(ArrayView<float> shared, Square tile) => Store(shared, Tile, tile);

    /// <summary>The thread's elements of the stored tile.</summary>
    public static Square Load(ArrayView<float> shared)
    {
        ArrayView<Float4> fours = shared.Cast<Float4>();
        int at = ((Tile + (4 * Y * Step)) / 4) + X;
        return new() { Row0 = fours[at], Row1 = fours[at + (Step / 4)], Row2 = fours[at + (2 * Step / 4)], Row3 = fours[at + (3 * Step / 4)] };
    }

    private static void Store(ArrayView<float> shared, int start, Square tile)
    {
        ArrayView<Float4> fours = shared.Cast<Float4>();
        int at = ((start + (4 * Y * Step)) / 4) + X;
        fours[at] = tile.Row0;
        fours[at + (Step / 4)] = tile.Row1;
        fours[at + (2 * Step / 4)] = tile.Row2;
        fours[at + (3 * Step / 4)] = tile.Row3;
    }

    /// <summary>Stores the tile, by columns, as an operand.</summary>
    private static void StoreTurned(ArrayView<float> shared, Square tile)
    {
        ArrayView<Float4> fours = shared.Cast<Float4>();
        int at = ((Left + (4 * X * Step)) / 4) + Y;
        fours[at] = new Float4(tile.Row0.X, tile.Row1.X, tile.Row2.X, tile.Row3.X);
        fours[at + (Step / 4)] = new Float4(tile.Row0.Y, tile.Row1.Y, tile.Row2.Y, tile.Row3.Y);
        fours[at + (2 * Step / 4)] = new Float4(tile.Row0.Z, tile.Row1.Z, tile.Row2.Z, tile.Row3.Z);
        fours[at + (3 * Step / 4)] = new Float4(tile.Row0.W, tile.Row1.W, tile.Row2.W, tile.Row3.W);
    }

    /// <summary>
    /// Adds to each element what the stored tile has for its distance, row − column + 63 − <paramref name="first"/>, if that is within it: in the element's row of
    /// the tile, or in that of its column.
    /// </summary>
    public static Square AddDistances(ArrayView<float> shared, int first, bool byColumn, Square tile)
    {
        tile.Row0 = AddDistances(shared, first, byColumn, 4 * Y, tile.Row0);
        tile.Row1 = AddDistances(shared, first, byColumn, (4 * Y) + 1, tile.Row1);
        tile.Row2 = AddDistances(shared, first, byColumn, (4 * Y) + 2, tile.Row2);
        tile.Row3 = AddDistances(shared, first, byColumn, (4 * Y) + 3, tile.Row3);
        return tile;
    }

    private static Float4 AddDistances(ArrayView<float> shared, int first, bool byColumn, int row, Float4 x)
    {
        int column = 4 * X, distance = row - column + Side - 1 - first;
        x.X += OfDistance(shared, byColumn ? column : row, distance);
        x.Y += OfDistance(shared, byColumn ? column + 1 : row, distance - 1);
        x.Z += OfDistance(shared, byColumn ? column + 2 : row, distance - 2);
        x.W += OfDistance(shared, byColumn ? column + 3 : row, distance - 3);
        return x;
    }

    private static float OfDistance(ArrayView<float> shared, int row, int distance)
    {
        float value = 0;
        if (distance >= 0 && distance < Side) value = shared[Tile + (row * Step) + distance];
        return value;
    }

    /// <summary>
    /// What the stored tile has at the distances row − column + 63 = <paramref name="first"/> …, which are the result's columns; its rows are the tile's, or its columns. 0 where a
    /// distance is not within the tile.
    /// </summary>
    public static Square ByDistance(ArrayView<float> shared, int first, bool byColumn) => new()
    {
        Row0 = ByDistance(shared, first, byColumn, 4 * Y),
        Row1 = ByDistance(shared, first, byColumn, (4 * Y) + 1),
        Row2 = ByDistance(shared, first, byColumn, (4 * Y) + 2),
        Row3 = ByDistance(shared, first, byColumn, (4 * Y) + 3),
    };

    private static Float4 ByDistance(ArrayView<float> shared, int first, bool byColumn, int row)
    {
        int distance = first + (4 * X) - (Side - 1);
        return new(
            AtDistance(shared, byColumn, row, distance), AtDistance(shared, byColumn, row, distance + 1), AtDistance(shared, byColumn, row, distance + 2), AtDistance(shared, byColumn, row, distance + 3));
    }

    /// <summary>The tile's element in a row whose column is this far below, or in a column whose row is this far above.</summary>
    private static float AtDistance(ArrayView<float> shared, bool byColumn, int line, int distance)
    {
        int other = byColumn ? line + distance : line - distance;
        float value = 0;
        if (other >= 0 && other < Side) value = shared[Tile + (byColumn ? (other * Step) + line : (line * Step) + other)];
        return value;
    }

    private static Float4 Load<T>(T operand, int done, int depth)
        where T : struct, ITileOperand
    {
        int row = operand.AlongDepth ? Group.IdxX / Depth : Group.IdxX % Side, at = done + (operand.AlongDepth ? Group.IdxX % Depth : Group.IdxX / Side);
        int rows = operand.AlongDepth ? Side / 4 : 0, steps = operand.AlongDepth ? 0 : Depth / 4;
        Float4 value = default;
        if (at < depth) value.X = operand.Element(row, at);
        if (at + steps < depth) value.Y = operand.Element(row + rows, at + steps);
        if (at + (2 * steps) < depth) value.Z = operand.Element(row + (2 * rows), at + (2 * steps));
        if (at + (3 * steps) < depth) value.W = operand.Element(row + (3 * rows), at + (3 * steps));
        return value;
    }

    private static void Store(ArrayView<float> shared, int start, bool alongDepth, Float4 value)
    {
        int row = alongDepth ? Group.IdxX / Depth : Group.IdxX % Side, at = alongDepth ? Group.IdxX % Depth : Group.IdxX / Side;
        int to = start + (at * Step) + row, step = alongDepth ? Side / 4 : Depth / 4 * Step;
        shared[to] = value.X;
        shared[to + step] = value.Y;
        shared[to + (2 * step)] = value.Z;
        shared[to + (3 * step)] = value.W;
    }

    private static Square Multiply(ArrayView<float> shared, int left, Square sums)
    {
        ArrayView<Float4> fours = shared.Cast<Float4>();
        int p = (left / 4) + Y, q = (Right / 4) + X;
        for (int i = 0; i < Depth * Step / 4; i += 2 * (Step / 4))
        {
            Float4 a0 = fours[p + i], b0 = fours[q + i], a1 = fours[p + i + (Step / 4)], b1 = fours[q + i + (Step / 4)];
            sums.Row0 = Float4.MultiplyAdd(a1.X, b1, Float4.MultiplyAdd(a0.X, b0, sums.Row0));
            sums.Row1 = Float4.MultiplyAdd(a1.Y, b1, Float4.MultiplyAdd(a0.Y, b0, sums.Row1));
            sums.Row2 = Float4.MultiplyAdd(a1.Z, b1, Float4.MultiplyAdd(a0.Z, b0, sums.Row2));
            sums.Row3 = Float4.MultiplyAdd(a1.W, b1, Float4.MultiplyAdd(a0.W, b0, sums.Row3));
        }

        return sums;
    }

    /// <summary>A step of 64 of an operand, in bfloat16, as lines along whichever axis is next to each other in memory.</summary>
    private static void Round<T>(ArrayView<float> shared, int start, T operand, int done)
        where T : struct, ITileOperand
    {
        int line = Group.IdxX / LineWords, place = Group.IdxX % LineWords, lines = 256 / LineWords;
        bool alongDepth = operand.AlongDepth;
        ulong x0 = operand.Rounded(alongDepth ? line : 4 * place, done + (alongDepth ? 4 * place : line));
        ulong x1 = operand.Rounded(alongDepth ? line + lines : 4 * place, done + (alongDepth ? 4 * place : line + lines));
        ulong x2 = operand.Rounded(alongDepth ? line + (2 * lines) : 4 * place, done + (alongDepth ? 4 * place : line + (2 * lines)));
        ulong x3 = operand.Rounded(alongDepth ? line + (3 * lines) : 4 * place, done + (alongDepth ? 4 * place : line + (3 * lines)));
        StoreRounded(shared, start, line, place, x0);
        StoreRounded(shared, start, line + lines, place, x1);
        StoreRounded(shared, start, line + (2 * lines), place, x2);
        StoreRounded(shared, start, line + (3 * lines), place, x3);
    }

    private static void RoundRow(ArrayView<float> shared, int row, Float4 x) => StoreRounded(shared, 0, row, X, Rounded(x));

    /// <summary>Four neighbours of a line, as 8 bytes of a swizzled chunk of 16.</summary>
    private static void StoreRounded(ArrayView<float> shared, int start, int line, int place, ulong x)
    {
        ArrayView<ulong> words = shared.Cast<ulong>();
        int chunk = (place >> 1) ^ (line & 7);
        words[start + (line * LineWords) + (2 * chunk) + (place & 1)] = x;
    }

    private static Square MultiplyRounded(ArrayView<float> shared, bool leftAlongDepth, bool rightAlongDepth, Square sums)
    {
        nint address = TileFinish.AddressOf(shared);
        if (leftAlongDepth)
        {
            if (rightAlongDepth) CudaAsm.Emit(TensorCoreSquare.RowsByRows, address);
            else CudaAsm.Emit(TensorCoreSquare.RowsByDepth, address);
        }
        else
        {
            if (rightAlongDepth) CudaAsm.Emit(TensorCoreSquare.DepthByRows, address);
            else CudaAsm.Emit(TensorCoreSquare.DepthByDepth, address);
        }

        ArrayView<Float4> fours = shared.Cast<Float4>();
        int at = (Y * Step) + X;
        sums.Row0 = Float4.MultiplyAdd(1, fours[at], sums.Row0);
        sums.Row1 = Float4.MultiplyAdd(1, fours[at + (Step / 4)], sums.Row1);
        sums.Row2 = Float4.MultiplyAdd(1, fours[at + (2 * Step / 4)], sums.Row2);
        sums.Row3 = Float4.MultiplyAdd(1, fours[at + (3 * Step / 4)], sums.Row3);
        return sums;
    }
}
