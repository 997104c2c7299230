using ILGPU;
using LoRA2.Native.Cuda.Kernels.Products;

namespace LoRA2.Native.Cuda.Kernels.Attention;

/// <summary>
/// The gradients of <see cref="Attention"/> without scores in global memory (after Dao, arXiv 2307.08691, algorithm 2, without atomic additions): the scores of a tile of 64 queries ×
/// 64 keys are computed again, by blocks of threads that have a tile of queries for the gradients of queries and of position keys, and by others that have a tile of keys for those of
/// keys, values and position queries. Grids are tiles × heads × 64 columns of a head.
/// <para>
/// The gradients of position rows are first summed by tile and distance: <c>parts</c> is [heads from the first, tiles, tiles + 1 windows, 64 distances, columns of a head]. Window w of
/// the tile of queries t begins at distance 64 (t − w) + length, that of the tile of keys t at 64 (w − t − 1) + length: the 127 distances of two tiles are in two windows, of which the
/// next two tiles share one.
/// </para>
/// </summary>
[KernelFamily]
internal static unsafe class AttentionGradient
{
    private const int Side = AttentionTile.Side;

    /// <summary>Σ over a head's columns of dy · y, for each head and token, a warp each; and dy in bfloat16, where there is room for it.</summary>
    public static void Dots(nint dy, nint y, int count, int heads, int length, int width, nint dots, nint rounded)
    {
        int size = width / heads, lane = Group.IdxX % 32;
        for (int i = (int)(Threads.First / 32); i < count; i += (int)(Threads.Count / 32))
        {
            int head = i / length, batch = head / heads;
            uint first = ((((uint)batch * (uint)length) + (uint)(i - (head * length))) * (uint)width) + ((uint)(head - (batch * heads)) * (uint)size);
            float sum = 0;
            for (int column = lane; column < size; column += 32)
            {
                uint at = first + (uint)column;
                float x = ((float*)dy)[at];
                sum += x * ((float*)y)[at];
                if (rounded != 0) ((ushort*)rounded)[at] = (ushort)BFloat16Terms.Rounded(x, 0);
            }

            sum = WarpReduction.Sum(sum);
            if (lane == 0) ((float*)dots)[(uint)i] = sum;
        }
    }

    /// <summary>dq = dscores · k, and by distance · the position keys; and the parts of the position keys' gradient, where there is room for it.</summary>
    public static void Query(
        nint q, nint k, nint v, nint dy, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, int firstHead, int heads, int length, int width, float scale,
        ulong seed, [DropoutStream] ulong stream, uint threshold, float keepScale, nint largest, nint inverse, nint dots, nint dq, nint parts) =>
        QueryOf(false, q, k, v, dy, positionKey, positionQuery, rowOf, mask, flags, firstHead, heads, length, width, scale, seed, stream, threshold, keepScale, largest, inverse, dots, dq, parts);

    /// <summary><see cref="Query"/> on the tensor cores: q, k, v and dy are in bfloat16, and a head's columns a multiple of 4.</summary>
    public static void QueryRounded(
        nint q, nint k, nint v, nint dy, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, int firstHead, int heads, int length, int width, float scale,
        ulong seed, [DropoutStream] ulong stream, uint threshold, float keepScale, nint largest, nint inverse, nint dots, nint dq, nint parts) =>
        QueryOf(true, q, k, v, dy, positionKey, positionQuery, rowOf, mask, flags, firstHead, heads, length, width, scale, seed, stream, threshold, keepScale, largest, inverse, dots, dq, parts);

    /// <summary>
    /// dk = dscoresᵀ · q, and by distance · the position queries; dv = (p after dropout)ᵀ · dy; and the parts of the position queries' gradient. Each where there is room for it.
    /// </summary>
    public static void Key(
        nint q, nint k, nint v, nint dy, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, int firstHead, int heads, int length, int width, float scale,
        ulong seed, [DropoutStream] ulong stream, uint threshold, float keepScale, nint largest, nint inverse, nint dots, nint dk, nint dv, nint parts) =>
        KeyOf(false, q, k, v, dy, positionKey, positionQuery, rowOf, mask, flags, firstHead, heads, length, width, scale, seed, stream, threshold, keepScale, largest, inverse, dots, dk, dv, parts);

    /// <summary><see cref="Key"/> on the tensor cores: q, k, v and dy are in bfloat16, and a head's columns a multiple of 4.</summary>
    public static void KeyRounded(
        nint q, nint k, nint v, nint dy, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, int firstHead, int heads, int length, int width, float scale,
        ulong seed, [DropoutStream] ulong stream, uint threshold, float keepScale, nint largest, nint inverse, nint dots, nint dk, nint dv, nint parts) =>
        KeyOf(true, q, k, v, dy, positionKey, positionQuery, rowOf, mask, flags, firstHead, heads, length, width, scale, seed, stream, threshold, keepScale, largest, inverse, dots, dk, dv, parts);

    /// <summary>
    /// The gradient of a position table, positions × width: for each element the sum over the distances that have its row, in their order, and over tiles and sequences; added to what
    /// is there, if <paramref name="adds"/>, else in place of it. A row with no distance gets 0.
    /// </summary>
    public static void AddPositions(nint parts, nint rowOf, int byQuery, int length, int firstHead, int count, int heads, int width, int positions, int adds, nint table)
    {
        int* rows = (int*)rowOf;
        int distances = (2 * length) - 1, size = width / heads, tiles = (length + Side - 1) / Side;
        for (uint i = Threads.First; i < (uint)positions * (uint)width; i += Threads.Count)
        {
            int row = (int)(i / (uint)width), column = (int)(i - ((uint)row * (uint)width)), head = column / size;
            // The first head of the group that has this number within its sequence.
            int local = (head - (firstHead % heads) + heads) % heads;
            float sum = adds != 0 ? ((float*)table)[i] : 0;
            for (int distance = 0; distance < distances; distance++)
            {
                if (rows[(uint)distance] != row) continue;
                int window = ((distance - length + (Side * tiles)) / Side) - tiles;
                uint place = ((uint)(distance - length - (window * Side)) * (uint)size) + (uint)(column - (head * size));
                for (int tile = 0; tile < tiles; tile++)
                {
                    int number = byQuery != 0 ? tile - window : window + tile + 1;
                    if (number < 0 || number > tiles) continue;
                    for (int h = local; h < count; h += heads)
                        sum += ((float*)parts)[((((((uint)h * (uint)tiles) + (uint)tile) * (uint)(tiles + 1)) + (uint)number) * (uint)(Side * size)) + place];
                }
            }

            ((float*)table)[i] = sum;
        }
    }

    private static void QueryOf(
        bool tensorCores, nint q, nint k, nint v, nint dy, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, int firstHead, int heads, int length, int width, float scale,
        ulong seed, ulong stream, uint threshold, float keepScale, nint largest, nint inverse, nint dots, nint dq, nint parts)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(AttentionTile.Shared);
        var place = new AttentionPlace(firstHead, heads, length, width);
        bool fours = (flags & AttentionScores.HasFours) != 0;
        var tiles = new AttentionGradientTiles(
            q, k, v, dy, positionKey, positionQuery, rowOf, mask, flags, scale, seed, stream, threshold, keepScale, largest, inverse, dots);
        int keys = place.Keys(shared, mask, (flags & AttentionScores.HasMask) != 0), column = Grid.IdxY * Side, columns = place.ColumnsFrom(column);
        var queries = new HeadColumns(q, place.Row(place.Tile) + (uint)column, width, length - place.Tile, columns);
        Square sums = default;
        var part = new AttentionPart(place, parts, column, fours);
        part.Store(0, default);
        for (int key = 0; key < length; key += Side)
        {
            if (key >= keys)
            {
                part.Store((key / Side) + 1, default);
                continue;
            }

            Square gradient = tiles.Of(tensorCores, shared, place, place.Tile, key).Gradient;
            sums = AttentionTile.Product(tensorCores, shared, gradient, false, new HeadColumns(k, place.Row(key) + (uint)column, width, length - key, columns), sums);
            if ((flags & AttentionScores.HasPositionKey) == 0) continue;
            AttentionTile.Store(shared, gradient);
            Group.Barrier();
            for (int half = 0; half <= Side; half += Side)
            {
                Square band = AttentionTile.ByDistance(shared, half, false);
                int distance = place.DistanceOf(place.Tile, key) + half;
                sums = AttentionTile.Product(
                    tensorCores, shared, band, false, new PositionColumns(positionKey, (uint)(place.Column + column), width, rowOf, distance, place.Distances, columns), sums);
                if (parts == 0) continue;
                Square before = default;
                if (half != 0) before = part.Load(key / Side);
                part.Store((key / Side) + (half == 0 ? 1 : 0), AttentionTile.Product(tensorCores, shared, band, true, queries, before));
            }
        }

        if (dq != 0) place.Store(dq, place.Tile, column, fours, sums);
    }

    private static void KeyOf(
        bool tensorCores, nint q, nint k, nint v, nint dy, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, int firstHead, int heads, int length, int width, float scale,
        ulong seed, ulong stream, uint threshold, float keepScale, nint largest, nint inverse, nint dots, nint dk, nint dv, nint parts)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(AttentionTile.Shared);
        var place = new AttentionPlace(firstHead, heads, length, width);
        bool fours = (flags & AttentionScores.HasFours) != 0;
        var tiles = new AttentionGradientTiles(
            q, k, v, dy, positionKey, positionQuery, rowOf, mask, flags, scale, seed, stream, threshold, keepScale, largest, inverse, dots);
        int keys = place.Keys(shared, mask, (flags & AttentionScores.HasMask) != 0), column = Grid.IdxY * Side, columns = place.ColumnsFrom(column);
        int end = (flags & AttentionScores.MasksQueries) != 0 ? keys : length;
        if (place.Tile >= keys) end = 0;
        var own = new HeadColumns(k, place.Row(place.Tile) + (uint)column, width, length - place.Tile, columns);
        Square sums = default;
        if (dv != 0) place.Store(dv, place.Tile, column, fours, default);
        var part = new AttentionPart(place, parts, column, fours);
        part.Store(0, default);
        for (int query = 0; query < length; query += Side)
        {
            if (query >= end)
            {
                part.Store((query / Side) + 1, default);
                continue;
            }

            AttentionGradientTile tile = tiles.Of(tensorCores, shared, place, query, place.Tile);
            // It waits in shared memory, and values are added up in global memory, each element by its own thread: registers are what the kernel lacks.
            AttentionTile.Store(shared, tile.Gradient);
            if (dv != 0)
            {
                var gradients = new HeadColumns(dy, place.Row(query) + (uint)column, width, length - query, columns);
                Square before = place.Load(dv, place.Tile, column, fours);
                place.Store(dv, place.Tile, column, fours, AttentionTile.Product(tensorCores, shared, tile.Used, true, gradients, before));
            }

            sums = AttentionTile.Product(tensorCores, shared, AttentionTile.Load(shared), true, new HeadColumns(q, place.Row(query) + (uint)column, width, length - query, columns), sums);
            if ((flags & AttentionScores.HasPositionQuery) == 0) continue;
            for (int half = 0; half <= Side; half += Side)
            {
                Square band = AttentionTile.ByDistance(shared, half, true);
                int distance = place.DistanceOf(query, place.Tile) + half;
                sums = AttentionTile.Product(
                    tensorCores, shared, band, false, new PositionColumns(positionQuery, (uint)(place.Column + column), width, rowOf, distance, place.Distances, columns), sums);
                if (parts == 0) continue;
                Square before = default;
                if (half == 0) before = part.Load(query / Side);
                part.Store((query / Side) + (half == 0 ? 0 : 1), AttentionTile.Product(tensorCores, shared, band, true, own, before));
            }
        }

        if (dk != 0) place.Store(dk, place.Tile, column, fours, sums);
    }
}
