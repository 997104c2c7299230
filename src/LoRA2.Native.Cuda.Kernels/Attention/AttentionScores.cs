using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Attention;

/// <summary>What the scores of a head are made of. Flags say which addresses count.</summary>
internal readonly unsafe struct AttentionScores(nint q, nint k, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, float scale)
{
    public const int HasPositionKey = 1;
    public const int HasPositionQuery = 2;
    public const int HasMask = 4;
    public const int MasksQueries = 8;
    public const int HasFours = 16;
    public const int HasProbabilities = 32;
    public const int HasKept = 64;

    private readonly float* q = (float*)q;
    private readonly float* k = (float*)k;
    private readonly float* positionKey = (float*)positionKey;
    private readonly float* positionQuery = (float*)positionQuery;
    private readonly int* rowOf = (int*)rowOf;
    private readonly int* mask = (int*)mask;
    private readonly int flags = flags;
    private readonly float scale = scale;

    /// <summary>
    /// The scores of 64 queries × 64 keys; a masked key's are −∞. Relative terms are products with the position rows of the tile's 127 distances, from which each element takes its own.
    /// </summary>
    public Square Of(bool tensorCores, ArrayView<float> shared, AttentionPlace place, int query, int key)
    {
        bool isMasked = (flags & HasMask) != 0;
        var queries = new HeadRows((nint)q, place.Row(query), place.Width, place.Length - query, place.Size);
        var keys = new HeadRows((nint)k, place.Row(key), place.Width, place.Length - key, place.Size);
        Square scores = AttentionTile.Product(tensorCores, shared, queries, keys, place.Size, default(Square));
        int distance = place.DistanceOf(query, key);
        for (int half = 0; half < AttentionTile.Side * 2; half += AttentionTile.Side)
        {
            if ((flags & HasPositionKey) != 0)
            {
                var positions = new PositionRows((nint)positionKey, (uint)place.Column, place.Width, (nint)rowOf, distance + half, place.Distances, place.Size);
                AttentionTile.Store(shared, AttentionTile.Product(tensorCores, shared, queries, positions, place.Size, default(Square)));
                Group.Barrier();
                scores = AttentionTile.AddDistances(shared, half, false, scores);
            }

            if ((flags & HasPositionQuery) != 0)
            {
                var positions = new PositionRows((nint)positionQuery, (uint)place.Column, place.Width, (nint)rowOf, distance + half, place.Distances, place.Size);
                AttentionTile.Store(shared, AttentionTile.Product(tensorCores, shared, keys, positions, place.Size, default(Square)));
                Group.Barrier();
                scores = AttentionTile.AddDistances(shared, half, true, scores);
            }
        }

        int at = key + (4 * AttentionTile.X);
        bool has0 = place.IsToken((nint)mask, isMasked, at), has1 = place.IsToken((nint)mask, isMasked, at + 1);
        bool has2 = place.IsToken((nint)mask, isMasked, at + 2), has3 = place.IsToken((nint)mask, isMasked, at + 3);
        scores.Row0 = Masked(scores.Row0, has0, has1, has2, has3);
        scores.Row1 = Masked(scores.Row1, has0, has1, has2, has3);
        scores.Row2 = Masked(scores.Row2, has0, has1, has2, has3);
        scores.Row3 = Masked(scores.Row3, has0, has1, has2, has3);
        return scores;
    }

    private Float4 Masked(Float4 x, bool has0, bool has1, bool has2, bool has3) => new(
        has0 ? x.X * scale : ScoreRow.Lowest, has1 ? x.Y * scale : ScoreRow.Lowest, has2 ? x.Z * scale : ScoreRow.Lowest, has3 ? x.W * scale : ScoreRow.Lowest);
}
