using ILGPU;
using LoRA2.Native.Cuda.Kernels.Elementwise;

namespace LoRA2.Native.Cuda.Kernels.Attention;

/// <summary>
/// Multi-head attention in float32, by tiles of 64 queries × 64 keys with a running softmax: scores never leave the multiprocessor, unless the probabilities are wanted. 256 threads;
/// the grid is tiles of queries × heads × 64 columns of a head. Flags say which addresses count.
/// </summary>
[KernelFamily]
internal static unsafe class Attention
{
    /// <summary>
    /// y, and where wanted the probabilities before dropout and what the gradient takes of each query: its largest score, and 1 / the sum of its probabilities' numerators.
    /// </summary>
    public static void Forward(
        nint q, nint k, nint v, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, int heads, int length, int width, float scale,
        ulong seed, [DropoutStream] ulong stream, uint threshold, float keepScale, nint probabilities, nint largest, nint inverse, nint y) =>
        Run(false, q, k, v, positionKey, positionQuery, rowOf, mask, flags, heads, length, width, scale, seed, stream, threshold, keepScale, probabilities, largest, inverse, y);

    /// <summary><see cref="Forward"/> on the tensor cores: q, k and v are in bfloat16 (<see cref="Round"/>), and a head's columns a multiple of 4.</summary>
    public static void ForwardRounded(
        nint q, nint k, nint v, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, int heads, int length, int width, float scale,
        ulong seed, [DropoutStream] ulong stream, uint threshold, float keepScale, nint probabilities, nint largest, nint inverse, nint y) =>
        Run(true, q, k, v, positionKey, positionQuery, rowOf, mask, flags, heads, length, width, scale, seed, stream, threshold, keepScale, probabilities, largest, inverse, y);

    /// <summary>to [3, count] = q, k and v, rounded; count is a multiple of 4. The grid's second dimension is of the three.</summary>
    public static void Round(nint q, nint k, nint v, int vectors, uint count, nint to)
    {
        float* x = (float*)(Grid.IdxY == 0 ? q : Grid.IdxY == 1 ? k : v);
        ulong* y = (ulong*)((ushort*)to + ((uint)Grid.IdxY * count));
        for (uint i = Threads.First; i < count / 4; i += Threads.Count)
        {
            uint at = 4 * i;
            var four = new Float4(0, 0, 0, 0);
            if (vectors != 0) four = *(Float4*)(x + at);
            else four = new Float4(x[at], x[at + 1], x[at + 2], x[at + 3]);
            y[i] = AttentionTile.Rounded(four);
        }
    }

    private static void Run(
        bool tensorCores, nint q, nint k, nint v, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, int heads, int length, int width, float scale,
        ulong seed, ulong stream, uint threshold, float keepScale, nint probabilities, nint largestOf, nint inverseOf, nint y)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(AttentionTile.Shared);
        var place = new AttentionPlace(0, heads, length, width);
        var tiles = new AttentionScores(q, k, positionKey, positionQuery, rowOf, mask, flags, scale);
        var words = new DropoutWords(seed, stream, threshold, 1);
        bool masksQueries = (flags & AttentionScores.MasksQueries) != 0, fours = (flags & AttentionScores.HasFours) != 0;
        bool writes = Grid.IdxY == 0 && (flags & AttentionScores.HasProbabilities) != 0;
        int keys = place.Keys(shared, mask, (flags & AttentionScores.HasMask) != 0), column = Grid.IdxY * AttentionTile.Side, query = place.Tile + (4 * AttentionTile.Y);
        bool is0 = place.IsToken(mask, masksQueries, query), is1 = place.IsToken(mask, masksQueries, query + 1);
        bool is2 = place.IsToken(mask, masksQueries, query + 2), is3 = place.IsToken(mask, masksQueries, query + 3);
        var largest = new Float4(ScoreRow.Lowest, ScoreRow.Lowest, ScoreRow.Lowest, ScoreRow.Lowest);
        Float4 total = default;
        Square sums = default;

        for (int key = 0; key < keys; key += AttentionTile.Side)
        {
            Square scores = tiles.Of(tensorCores, shared, place, place.Tile, key);
            int at = key + (4 * AttentionTile.X);
            if (writes)
            {
                // The bare scores, until the row's sum is known.
                WriteRow(probabilities, place, query, at, scores.Row0);
                WriteRow(probabilities, place, query + 1, at, scores.Row1);
                WriteRow(probabilities, place, query + 2, at, scores.Row2);
                WriteRow(probabilities, place, query + 3, at, scores.Row3);
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
            if (threshold != 0)
            {
                scores.Row0 = ScoreRow.Drop(scores.Row0, ScoreRow.Kept(words, place.Element(query, at)), keepScale);
                scores.Row1 = ScoreRow.Drop(scores.Row1, ScoreRow.Kept(words, place.Element(query + 1, at)), keepScale);
                scores.Row2 = ScoreRow.Drop(scores.Row2, ScoreRow.Kept(words, place.Element(query + 2, at)), keepScale);
                scores.Row3 = ScoreRow.Drop(scores.Row3, ScoreRow.Kept(words, place.Element(query + 3, at)), keepScale);
            }

            sums.Row0 = ScoreRow.Scaled(sums.Row0, factor.X);
            sums.Row1 = ScoreRow.Scaled(sums.Row1, factor.Y);
            sums.Row2 = ScoreRow.Scaled(sums.Row2, factor.Z);
            sums.Row3 = ScoreRow.Scaled(sums.Row3, factor.W);
            var values = new HeadColumns(v, place.Row(key) + (uint)column, width, length - key, place.Size - column);
            sums = AttentionTile.Product(tensorCores, shared, scores, false, values, sums);
        }

        var inverse = new Float4(Inverse(total.X, is0), Inverse(total.Y, is1), Inverse(total.Z, is2), Inverse(total.W, is3));
        sums.Row0 = ScoreRow.Scaled(sums.Row0, inverse.X);
        sums.Row1 = ScoreRow.Scaled(sums.Row1, inverse.Y);
        sums.Row2 = ScoreRow.Scaled(sums.Row2, inverse.Z);
        sums.Row3 = ScoreRow.Scaled(sums.Row3, inverse.W);
        place.Store(y, place.Tile, column, fours, sums);
        if (Grid.IdxY == 0 && AttentionTile.X == 0 && (flags & AttentionScores.HasKept) != 0)
        {
            Keep(place, query, largestOf, largest.X, inverseOf, inverse.X);
            Keep(place, query + 1, largestOf, largest.Y, inverseOf, inverse.Y);
            Keep(place, query + 2, largestOf, largest.Z, inverseOf, inverse.Z);
            Keep(place, query + 3, largestOf, largest.W, inverseOf, inverse.W);
        }

        if (!writes) return;
        for (int key = 0; key < length; key += AttentionTile.Side)
        {
            int at = key + (4 * AttentionTile.X);
            FinishRow(probabilities, place, query, at, keys, largest.X, inverse.X);
            FinishRow(probabilities, place, query + 1, at, keys, largest.Y, inverse.Y);
            FinishRow(probabilities, place, query + 2, at, keys, largest.Z, inverse.Z);
            FinishRow(probabilities, place, query + 3, at, keys, largest.W, inverse.W);
        }
    }

    /// <summary>1 / total; 0 of a row that is masked whole or has no key, so that its probabilities are 0.</summary>
    private static float Inverse(float total, bool isQuery) => isQuery && total != 0 ? 1 / total : 0;

    private static void Keep(AttentionPlace place, int query, nint largestOf, float largest, nint inverseOf, float inverse)
    {
        if (query >= place.Length) return;
        ((float*)largestOf)[place.RowNumber(query)] = largest;
        ((float*)inverseOf)[place.RowNumber(query)] = inverse;
    }

    private static void FinishRow(nint probabilities, AttentionPlace place, int query, int key, int keys, float largest, float inverse)
    {
        if (query >= place.Length || key >= place.Length) return;
        var scores = new Float4(ScoreRow.Lowest, ScoreRow.Lowest, ScoreRow.Lowest, ScoreRow.Lowest);
        if (inverse != 0) scores = ReadRow((float*)probabilities, place, query, key, keys);
        WriteRow(probabilities, place, query, key, ScoreRow.Scaled(ScoreRow.Exp(scores, largest), inverse));
    }

    private static Float4 ReadRow(float* x, AttentionPlace place, int query, int key, int keys)
    {
        uint at = place.Element(query, key);
        var value = new Float4(ScoreRow.Lowest, ScoreRow.Lowest, ScoreRow.Lowest, ScoreRow.Lowest);
        if (key < keys) value.X = x[at];
        if (key + 1 < keys) value.Y = x[at + 1];
        if (key + 2 < keys) value.Z = x[at + 2];
        if (key + 3 < keys) value.W = x[at + 3];
        return value;
    }

    private static void WriteRow(nint x, AttentionPlace place, int query, int key, Float4 value)
    {
        if (query < place.Length) AttentionPlace.StoreRow((float*)x + place.Element(query, key), place.Length - key, false, value);
    }
}
