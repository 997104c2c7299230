using ILGPU;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>
/// Multi-head attention in float32, by tiles of 64 queries × 64 keys with a running softmax: scores never leave the multiprocessor unless they are to be
/// kept. 256 threads; the grid is tiles of queries × heads × 64 columns of a head. Relative terms of a tile are products with the position rows of its 127 distances,
/// from which each element takes its own. Flags say which addresses count.
/// </summary>
[KernelFamily]
internal static unsafe class Attention
{
    private const int HasPositionKey = 1;
    private const int HasPositionQuery = 2;
    private const int HasMask = 4;
    private const int MasksQueries = 8;
    private const int HasProbabilities = 16;
    private const int HasKept = 32;
    private const int HasResult = 64;
    private const int HasFours = 128;

    /// <summary>
    /// y, and where wanted the probabilities before dropout and what the gradient takes of them: the same with the sign bit set where dropout drops. Either holds the bare scores until
    /// the row's sum is known.
    /// </summary>
    public static void Forward(
        nint q, nint k, nint v, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, int firstHead, int heads, int length, int width, float scale,
        ulong seed, ulong stream, uint threshold, float keepScale, nint probabilities, nint kept, nint y) =>
        Run(false, q, k, v, positionKey, positionQuery, rowOf, mask, flags, firstHead, heads, length, width, scale, seed, stream, threshold, keepScale, probabilities, kept, y);

    /// <summary><see cref="Forward"/> with products of operands rounded to bfloat16, on the tensor cores.</summary>
    public static void ForwardRounded(
        nint q, nint k, nint v, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, int firstHead, int heads, int length, int width, float scale,
        ulong seed, ulong stream, uint threshold, float keepScale, nint probabilities, nint kept, nint y) =>
        Run(true, q, k, v, positionKey, positionQuery, rowOf, mask, flags, firstHead, heads, length, width, scale, seed, stream, threshold, keepScale, probabilities, kept, y);

    private static void Run(
        bool tensorCores, nint q, nint k, nint v, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, int firstHead, int heads, int length, int width, float scale,
        ulong seed, ulong stream, uint threshold, float keepScale, nint probabilities, nint kept, nint y)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(AttentionTile.Shared);
        var place = new AttentionPlace((length + AttentionTile.Side - 1) / AttentionTile.Side, firstHead, heads, length, width);
        var words = new DropoutWords(seed, stream, threshold, 1);
        bool isMasked = (flags & HasMask) != 0, masksQueries = (flags & MasksQueries) != 0;
        bool writes = Grid.IdxY == 0 && (flags & (HasProbabilities | HasKept)) != 0, result = (flags & HasResult) != 0, fours = (flags & HasFours) != 0;
        float* stash = (flags & HasKept) != 0 ? (float*)kept : (float*)probabilities;
        int keys = place.Keys(shared, mask, isMasked), column = Grid.IdxY * AttentionTile.Side, query = place.Tile + (4 * AttentionTile.Y);
        var queries = new HeadRows(q, place.Row(place.Tile), width, length - place.Tile, place.Size, fours);
        bool is0 = place.IsToken(mask, masksQueries, query), is1 = place.IsToken(mask, masksQueries, query + 1);
        bool is2 = place.IsToken(mask, masksQueries, query + 2), is3 = place.IsToken(mask, masksQueries, query + 3);
        var largest = new Float4(ScoreRow.Lowest, ScoreRow.Lowest, ScoreRow.Lowest, ScoreRow.Lowest);
        Float4 total = default;
        Square sums = default;

        for (int key = 0; key < keys; key += AttentionTile.Side)
        {
            var rows = new HeadRows(k, place.Row(key), width, length - key, place.Size, fours);
            Square scores = AttentionTile.Product(tensorCores, shared, queries, rows, place.Size, default(Square));
            int distance = place.Tile - key + length - AttentionTile.Side;
            for (int half = 0; half < 2; half++)
            {
                if ((flags & HasPositionKey) != 0)
                {
                    var positions = new PositionRows(positionKey, (uint)place.Column, width, rowOf, distance + (half * AttentionTile.Side), place.Distances, place.Size, fours);
                    Square terms = AttentionTile.Product(tensorCores, shared, queries, positions, place.Size, default(Square));
                    AttentionTile.Store(shared, terms);
                    Group.Barrier();
                    scores = AttentionTile.AddDistances(shared, half * AttentionTile.Side, false, scores);
                }

                if ((flags & HasPositionQuery) != 0)
                {
                    var positions = new PositionRows(positionQuery, (uint)place.Column, width, rowOf, distance + (half * AttentionTile.Side), place.Distances, place.Size, fours);
                    Square terms = AttentionTile.Product(tensorCores, shared, rows, positions, place.Size, default(Square));
                    AttentionTile.Store(shared, terms);
                    Group.Barrier();
                    scores = AttentionTile.AddDistances(shared, half * AttentionTile.Side, true, scores);
                }
            }

            int at = key + (4 * AttentionTile.X);
            bool has0 = place.IsToken(mask, isMasked, at), has1 = place.IsToken(mask, isMasked, at + 1);
            bool has2 = place.IsToken(mask, isMasked, at + 2), has3 = place.IsToken(mask, isMasked, at + 3);
            scores.Row0 = Masked(scores.Row0, scale, has0, has1, has2, has3);
            scores.Row1 = Masked(scores.Row1, scale, has0, has1, has2, has3);
            scores.Row2 = Masked(scores.Row2, scale, has0, has1, has2, has3);
            scores.Row3 = Masked(scores.Row3, scale, has0, has1, has2, has3);
            if (writes)
            {
                WriteRow(stash, place, query, at, scores.Row0);
                WriteRow(stash, place, query + 1, at, scores.Row1);
                WriteRow(stash, place, query + 2, at, scores.Row2);
                WriteRow(stash, place, query + 3, at, scores.Row3);
            }

            var now = new Float4(ScoreRow.Largest(scores.Row0, largest.X), ScoreRow.Largest(scores.Row1, largest.Y), ScoreRow.Largest(scores.Row2, largest.Z), ScoreRow.Largest(scores.Row3, largest.W));
            var factor = new Float4(ScoreRow.Rescale(largest.X, now.X), ScoreRow.Rescale(largest.Y, now.Y), ScoreRow.Rescale(largest.Z, now.Z), ScoreRow.Rescale(largest.W, now.W));
            largest = now;
            scores.Row0 = ScoreRow.Exp(scores.Row0, now.X);
            scores.Row1 = ScoreRow.Exp(scores.Row1, now.Y);
            scores.Row2 = ScoreRow.Exp(scores.Row2, now.Z);
            scores.Row3 = ScoreRow.Exp(scores.Row3, now.W);
            total = new Float4(
                (total.X * factor.X) + ScoreRow.Sum(scores.Row0), (total.Y * factor.Y) + ScoreRow.Sum(scores.Row1), (total.Z * factor.Z) + ScoreRow.Sum(scores.Row2), (total.W * factor.W) + ScoreRow.Sum(scores.Row3));
            if (!result) continue;
            if (threshold != 0)
            {
                scores.Row0 = ScoreRow.Drop(scores.Row0, ScoreRow.Kept(words, Index(place, query, at)), keepScale);
                scores.Row1 = ScoreRow.Drop(scores.Row1, ScoreRow.Kept(words, Index(place, query + 1, at)), keepScale);
                scores.Row2 = ScoreRow.Drop(scores.Row2, ScoreRow.Kept(words, Index(place, query + 2, at)), keepScale);
                scores.Row3 = ScoreRow.Drop(scores.Row3, ScoreRow.Kept(words, Index(place, query + 3, at)), keepScale);
            }

            sums.Row0 = ScoreRow.Scaled(sums.Row0, factor.X);
            sums.Row1 = ScoreRow.Scaled(sums.Row1, factor.Y);
            sums.Row2 = ScoreRow.Scaled(sums.Row2, factor.Z);
            sums.Row3 = ScoreRow.Scaled(sums.Row3, factor.W);
            var values = new HeadColumns(v, place.Row(key) + (uint)column, width, length - key, place.Size - column, fours);
            sums = AttentionTile.Product(tensorCores, shared, scores, values, sums);
        }

        var inverse = new Float4(Inverse(total.X, is0), Inverse(total.Y, is1), Inverse(total.Z, is2), Inverse(total.W, is3));
        if (result)
        {
            sums.Row0 = ScoreRow.Scaled(sums.Row0, inverse.X);
            sums.Row1 = ScoreRow.Scaled(sums.Row1, inverse.Y);
            sums.Row2 = ScoreRow.Scaled(sums.Row2, inverse.Z);
            sums.Row3 = ScoreRow.Scaled(sums.Row3, inverse.W);
            place.Store(y, place.Tile, column, sums);
        }

        if (!writes) return;
        for (int key = 0; key < length; key += AttentionTile.Side)
        {
            int at = key + (4 * AttentionTile.X);
            FinishRow(stash, probabilities, kept, flags, place, query, at, keys, words, threshold, largest.X, inverse.X);
            FinishRow(stash, probabilities, kept, flags, place, query + 1, at, keys, words, threshold, largest.Y, inverse.Y);
            FinishRow(stash, probabilities, kept, flags, place, query + 2, at, keys, words, threshold, largest.Z, inverse.Z);
            FinishRow(stash, probabilities, kept, flags, place, query + 3, at, keys, words, threshold, largest.W, inverse.W);
        }
    }

    private static Float4 Masked(Float4 x, float scale, bool has0, bool has1, bool has2, bool has3) => new(
        has0 ? x.X * scale : ScoreRow.Lowest, has1 ? x.Y * scale : ScoreRow.Lowest, has2 ? x.Z * scale : ScoreRow.Lowest, has3 ? x.W * scale : ScoreRow.Lowest);

    /// <summary>Index of an element in [batch, heads, length, length].</summary>
    private static uint Index(AttentionPlace place, int query, int key) =>
        ((((uint)place.Number * (uint)place.Length) + (uint)query) * (uint)place.Length) + (uint)key;

    /// <summary>1 / total; 0 of a row that is masked whole or has no key, so that its probabilities are 0.</summary>
    private static float Inverse(float total, bool isQuery) => isQuery && total != 0 ? 1 / total : 0;

    private static void FinishRow(
        float* stash, nint probabilities, nint kept, int flags, AttentionPlace place, int query, int key, int keys, DropoutWords words, uint threshold, float largest, float inverse)
    {
        if (query >= place.Length || key >= place.Length) return;
        var scores = new Float4(ScoreRow.Lowest, ScoreRow.Lowest, ScoreRow.Lowest, ScoreRow.Lowest);
        if (inverse != 0) scores = ReadRow(stash, place, query, key, keys);
        Float4 p = ScoreRow.Scaled(ScoreRow.Exp(scores, largest), inverse);
        if ((flags & HasProbabilities) != 0) WriteRow((float*)probabilities, place, query, key, p);
        if ((flags & HasKept) == 0) return;
        if (threshold != 0) p = ScoreRow.Code(p, ScoreRow.Kept(words, Index(place, query, key)));
        WriteRow((float*)kept, place, query, key, p);
    }

    private static Float4 ReadRow(float* x, AttentionPlace place, int query, int key, int keys)
    {
        uint at = place.Scores + ((uint)query * (uint)place.Length) + (uint)key;
        var value = new Float4(ScoreRow.Lowest, ScoreRow.Lowest, ScoreRow.Lowest, ScoreRow.Lowest);
        if (key < keys) value.X = x[at];
        if (key + 1 < keys) value.Y = x[at + 1];
        if (key + 2 < keys) value.Z = x[at + 2];
        if (key + 3 < keys) value.W = x[at + 3];
        return value;
    }

    private static void WriteRow(float* x, AttentionPlace place, int query, int key, Float4 value)
    {
        if (query >= place.Length) return;
        uint at = place.Scores + ((uint)query * (uint)place.Length) + (uint)key;
        if (key < place.Length) x[at] = value.X;
        if (key + 1 < place.Length) x[at + 1] = value.Y;
        if (key + 2 < place.Length) x[at + 2] = value.Z;
        if (key + 3 < place.Length) x[at + 3] = value.W;
    }
}
