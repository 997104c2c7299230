using ILGPU;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>
/// The gradients of <see cref="Attention"/>, from the kept probabilities (dropped ones with their sign bit set). First those of the scores, [heads of a group, length, length]; then
/// each of the others is one product with them per tile of 64 rows, and a second one over distances for a relative term. Grids are tiles × heads × 64 columns of a head. Math: whether
/// products are of operands rounded to bfloat16, on the tensor cores, and whether rows of tokens and of positions may be read in fours.
/// </summary>
[KernelFamily]
internal static unsafe class AttentionGradient
{
    private const int Side = AttentionTile.Side;
    private const int OnTensorCores = 1;
    private const int InFours = 2;

    /// <summary>dscores = scale · (used ∘ (dy vᵀ) − p Σ used ∘ (dy vᵀ)), where used is p after dropout. All of a row is written.</summary>
    public static void Scores(
        nint kept, nint dy, nint v, nint mask, int isMasked, int firstHead, int heads, int length, int width, int math, float scale, float keepScale, nint dscores)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(AttentionTile.Shared);
        var place = new AttentionPlace((length + Side - 1) / Side, firstHead, heads, length, width);
        int keys = place.Keys(shared, mask, isMasked != 0), query = place.Tile + (4 * AttentionTile.Y);
        var queries = new HeadRows(dy, place.Row(place.Tile), width, length - place.Tile, place.Size, (math & InFours) != 0);
        float* p = (float*)kept;
        float* to = (float*)dscores;
        Float4 sums = default;
        for (int key = 0; key < keys; key += Side)
        {
            var values = new HeadRows(v, place.Row(key), width, length - key, place.Size, (math & InFours) != 0);
            Square products = AttentionTile.Product((math & OnTensorCores) != 0, shared, queries, values, place.Size, default(Square));
            int at = key + (4 * AttentionTile.X);
            sums = new Float4(
                sums.X + Dot(p, to, place, query, at, keepScale, products.Row0),
                sums.Y + Dot(p, to, place, query + 1, at, keepScale, products.Row1),
                sums.Z + Dot(p, to, place, query + 2, at, keepScale, products.Row2),
                sums.W + Dot(p, to, place, query + 3, at, keepScale, products.Row3));
        }

        sums = new Float4(ScoreRow.Sum(sums.X), ScoreRow.Sum(sums.Y), ScoreRow.Sum(sums.Z), ScoreRow.Sum(sums.W));
        for (int key = 4 * AttentionTile.X; key < length; key += Side)
        {
            Finish(p, to, place, query, key, keys, scale, keepScale, sums.X);
            Finish(p, to, place, query + 1, key, keys, scale, keepScale, sums.Y);
            Finish(p, to, place, query + 2, key, keys, scale, keepScale, sums.Z);
            Finish(p, to, place, query + 3, key, keys, scale, keepScale, sums.W);
        }
    }

    /// <summary>dq = dscores · k, and by distance · the position keys.</summary>
    public static void Query(nint dscores, nint k, nint positionKey, nint rowOf, int isRelative, nint mask, int isMasked, int firstHead, int heads, int length, int width, int math, nint dq)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(AttentionTile.Shared);
        var place = new AttentionPlace((length + Side - 1) / Side, firstHead, heads, length, width);
        int keys = place.Keys(shared, mask, isMasked != 0), column = Grid.IdxY * Side;
        var rows = new ScoreRows(dscores, place.Scores, length, place.Tile);
        var right = new HeadColumns(k, place.First + (uint)column, width, length, place.ColumnsFrom(column), (math & InFours) != 0);
        Square sums = AttentionTile.Product((math & OnTensorCores) != 0, shared, rows, right, keys, default(Square));
        if (isRelative != 0)
        {
            int first = Larger(0, place.Tile + length - keys), end = Smaller(place.Distances, place.Tile + Side - 1 + length);
            var byDistance = new QueryDistances(dscores, place.Scores, length, place.Tile, first);
            var positions = new PositionColumns(positionKey, (uint)(place.Column + column), width, rowOf, first, place.Distances, place.ColumnsFrom(column), (math & InFours) != 0);
            sums = AttentionTile.Product((math & OnTensorCores) != 0, shared, byDistance, positions, end - first, sums);
        }

        place.Store(dq, place.Tile, column, sums);
    }

    /// <summary>dk = dscoresᵀ · q, and by distance · the position queries.</summary>
    public static void Key(nint dscores, nint q, nint positionQuery, nint rowOf, int isRelative, int firstHead, int heads, int length, int width, int math, nint dk)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(AttentionTile.Shared);
        var place = new AttentionPlace((length + Side - 1) / Side, firstHead, heads, length, width);
        int column = Grid.IdxY * Side;
        var rows = new ScoreColumns(dscores, place.Scores, length, place.Tile);
        var right = new HeadColumns(q, place.First + (uint)column, width, length, place.ColumnsFrom(column), (math & InFours) != 0);
        Square sums = AttentionTile.Product((math & OnTensorCores) != 0, shared, rows, right, length, default(Square));
        if (isRelative != 0)
        {
            int first = Larger(0, length - Side - place.Tile), end = Smaller(place.Distances, (2 * length) - 1 - place.Tile);
            var byDistance = new KeyDistances(dscores, place.Scores, length, place.Tile, first);
            var positions = new PositionColumns(positionQuery, (uint)(place.Column + column), width, rowOf, first, place.Distances, place.ColumnsFrom(column), (math & InFours) != 0);
            sums = AttentionTile.Product((math & OnTensorCores) != 0, shared, byDistance, positions, end - first, sums);
        }

        place.Store(dk, place.Tile, column, sums);
    }

    /// <summary>dv = (p after dropout)ᵀ · dy.</summary>
    public static void Value(nint kept, nint dy, int firstHead, int heads, int length, int width, int math, float keepScale, nint dv)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(AttentionTile.Shared);
        var place = new AttentionPlace((length + Side - 1) / Side, firstHead, heads, length, width);
        int column = Grid.IdxY * Side;
        var rows = new UsedColumns(kept, place.Scores, length, place.Tile, keepScale);
        var right = new HeadColumns(dy, place.First + (uint)column, width, length, place.ColumnsFrom(column), (math & InFours) != 0);
        place.Store(dv, place.Tile, column, AttentionTile.Product((math & OnTensorCores) != 0, shared, rows, right, length, default(Square)));
    }

    /// <summary>parts[head of the batch, distance, column] = Σ over queries of dscores at this distance · q: tiles are of 64 distances.</summary>
    public static void PositionKeys(nint dscores, nint q, int firstHead, int heads, int length, int width, int math, nint parts)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(AttentionTile.Shared);
        var place = new AttentionPlace(((2 * length) - 1 + Side - 1) / Side, firstHead, heads, length, width);
        int column = Grid.IdxY * Side, first = Larger(0, place.Tile - length + 1), end = Smaller(length, place.Tile + Side);
        var rows = new DistanceRowsByQuery(dscores, place.Scores, length, place.Tile, first);
        var right = new HeadColumns(q, place.Row(first) + (uint)column, width, length - first, place.ColumnsFrom(column), (math & InFours) != 0);
        StorePart(place, parts, column, AttentionTile.Product((math & OnTensorCores) != 0, shared, rows, right, end - first, default(Square)));
    }

    /// <summary>parts[head of the batch, distance, column] = Σ over keys of dscores at this distance · k.</summary>
    public static void PositionQueries(nint dscores, nint k, int firstHead, int heads, int length, int width, int math, nint parts)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(AttentionTile.Shared);
        var place = new AttentionPlace(((2 * length) - 1 + Side - 1) / Side, firstHead, heads, length, width);
        int column = Grid.IdxY * Side, first = Larger(0, length - Side - place.Tile), end = Smaller(length, (2 * length) - 1 - place.Tile);
        var rows = new DistanceRowsByKey(dscores, place.Scores, length, place.Tile, first);
        var right = new HeadColumns(k, place.Row(first) + (uint)column, width, length - first, place.ColumnsFrom(column), (math & InFours) != 0);
        StorePart(place, parts, column, AttentionTile.Product((math & OnTensorCores) != 0, shared, rows, right, end - first, default(Square)));
    }

    /// <summary>
    /// The gradient of a position table, positions × width: for each element the sum over the distances that have its row, in their order, and over the batch. A row with no distance gets 0.
    /// </summary>
    public static void AddPositions(nint parts, nint rowOf, int length, int batch, int heads, int width, int positions, nint table)
    {
        int* rows = (int*)rowOf;
        float* from = (float*)parts;
        int distances = (2 * length) - 1, size = width / heads;
        uint stepOfBatch = (uint)heads * (uint)distances * (uint)size;
        for (uint i = Threads.First; i < (uint)positions * (uint)width; i += Threads.Count)
        {
            uint row = i / (uint)width, column = i - (row * (uint)width), head = column / (uint)size;
            uint at = (head * (uint)distances * (uint)size) + (column - (head * (uint)size));
            float sum = 0;
            for (int distance = 0; distance < distances; distance++, at += (uint)size)
            {
                if (rows[distance] != (int)row) continue;
                uint part = at;
                for (int b = 0; b < batch; b++, part += stepOfBatch) sum += from[part];
            }

            ((float*)table)[i] = sum;
        }
    }

    private static void StorePart(AttentionPlace place, nint parts, int column, Square x)
    {
        int distance = place.Tile + (4 * AttentionTile.Y);
        column += 4 * AttentionTile.X;
        StorePart(place, (float*)parts, distance, column, x.Row0);
        StorePart(place, (float*)parts, distance + 1, column, x.Row1);
        StorePart(place, (float*)parts, distance + 2, column, x.Row2);
        StorePart(place, (float*)parts, distance + 3, column, x.Row3);
    }

    private static void StorePart(AttentionPlace place, float* parts, int distance, int column, Float4 x)
    {
        if (distance >= place.Distances) return;
        uint at = ((((uint)place.Number * (uint)place.Distances) + (uint)distance) * (uint)place.Size) + (uint)column;
        if (column < place.Size) parts[at] = x.X;
        if (column + 1 < place.Size) parts[at + 1] = x.Y;
        if (column + 2 < place.Size) parts[at + 2] = x.Z;
        if (column + 3 < place.Size) parts[at + 3] = x.W;
    }

    /// <summary>Writes dy · v of four elements for <see cref="Finish(float*, float*, AttentionPlace, int, int, int, float, float, float)"/>, and takes their part of the row's sum.</summary>
    private static float Dot(float* p, float* to, AttentionPlace place, int query, int key, float keepScale, Float4 products)
    {
        if (query >= place.Length) return 0;
        uint at = place.Scores + ((uint)query * (uint)place.Length) + (uint)key;
        float sum = 0;
        if (key < place.Length) sum += Part(p, to, at, keepScale, products.X);
        if (key + 1 < place.Length) sum += Part(p, to, at + 1, keepScale, products.Y);
        if (key + 2 < place.Length) sum += Part(p, to, at + 2, keepScale, products.Z);
        if (key + 3 < place.Length) sum += Part(p, to, at + 3, keepScale, products.W);
        return sum;
    }

    private static float Part(float* p, float* to, uint at, float keepScale, float product)
    {
        to[at] = product;
        return Used(p[at], keepScale) * product;
    }

    private static void Finish(float* p, float* to, AttentionPlace place, int query, int key, int keys, float scale, float keepScale, float dot)
    {
        if (query >= place.Length) return;
        uint at = place.Scores + ((uint)query * (uint)place.Length) + (uint)key;
        for (int i = 0; i < 4; i++)
        {
            float value = 0;
            if (key + i < keys)
            {
                float coded = p[at + (uint)i];
                value = ((Used(coded, keepScale) * to[at + (uint)i]) - (IntrinsicMath.Abs(coded) * dot)) * scale;
            }

            if (key + i < place.Length) to[at + (uint)i] = value;
        }
    }

    private static float Used(float coded, float keepScale) => coded < 0 ? 0 : coded * keepScale;

    private static int Larger(int a, int b) => a > b ? a : b;

    private static int Smaller(int a, int b) => a < b ? a : b;
}
