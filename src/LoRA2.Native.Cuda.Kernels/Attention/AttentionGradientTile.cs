using ILGPU;
using LoRA2.Native.Cuda.Kernels.Elementwise;

namespace LoRA2.Native.Cuda.Kernels.Attention;

/// <summary>
/// 64 queries × 64 keys of a head, computed again for the gradient: the probabilities after dropout, and the gradient of the scores,
/// scale · (used ∘ (dy vᵀ) − p ∘ dots), where dots = Σ over the head's columns of dy · y is, for each query, Σ over keys of used ∘ (dy vᵀ).
/// </summary>
internal struct AttentionGradientTile
{
    public Square Used;
    public Square Gradient;
}

/// <summary>What <see cref="AttentionGradientTile"/>s are computed from; of each query the largest score, 1 / the sum of the probabilities' numerators (0 of a masked row), and dots.</summary>
internal readonly unsafe struct AttentionGradientTiles(
    nint q, nint k, nint v, nint dy, nint positionKey, nint positionQuery, nint rowOf, nint mask, int flags, float scale, ulong seed, ulong stream, uint threshold, float keepScale,
    nint largest, nint inverse, nint dots)
{
    private readonly AttentionScores scores = new(q, k, positionKey, positionQuery, rowOf, mask, flags, scale);
    private readonly float* v = (float*)v;
    private readonly float* dy = (float*)dy;
    private readonly float* largest = (float*)largest;
    private readonly float* inverse = (float*)inverse;
    private readonly float* dots = (float*)dots;
    private readonly float scale = scale;
    private readonly DropoutWords words = new(seed, stream, threshold, 1);
    private readonly uint threshold = threshold;
    private readonly float keepScale = keepScale;

    public AttentionGradientTile Of(bool tensorCores, ArrayView<float> shared, AttentionPlace place, int query, int key)
    {
        Square score = scores.Of(tensorCores, shared, place, query, key);
        var gradients = new HeadRows((nint)dy, place.Row(query), place.Width, place.Length - query, place.Size);
        var values = new HeadRows((nint)v, place.Row(key), place.Width, place.Length - key, place.Size);
        Square products = AttentionTile.Product(tensorCores, shared, gradients, values, place.Size, default(Square));
        int row = query + (4 * AttentionTile.Y), at = key + (4 * AttentionTile.X);
        AttentionGradientTile tile = default;
        Float4 p0 = Probabilities(place, row, score.Row0);
        tile.Used.Row0 = UsedOf(place, row, at, p0);
        tile.Gradient.Row0 = GradientOf(place, row, p0, tile.Used.Row0, products.Row0);
        Float4 p1 = Probabilities(place, row + 1, score.Row1);
        tile.Used.Row1 = UsedOf(place, row + 1, at, p1);
        tile.Gradient.Row1 = GradientOf(place, row + 1, p1, tile.Used.Row1, products.Row1);
        Float4 p2 = Probabilities(place, row + 2, score.Row2);
        tile.Used.Row2 = UsedOf(place, row + 2, at, p2);
        tile.Gradient.Row2 = GradientOf(place, row + 2, p2, tile.Used.Row2, products.Row2);
        Float4 p3 = Probabilities(place, row + 3, score.Row3);
        tile.Used.Row3 = UsedOf(place, row + 3, at, p3);
        tile.Gradient.Row3 = GradientOf(place, row + 3, p3, tile.Used.Row3, products.Row3);
        return tile;
    }

    private Float4 Probabilities(AttentionPlace place, int query, Float4 x)
    {
        if (query >= place.Length) return default;
        uint at = place.RowNumber(query);
        return ScoreRow.Scaled(ScoreRow.Exp(x, largest[at]), inverse[at]);
    }

    private Float4 UsedOf(AttentionPlace place, int query, int key, Float4 p) =>
        threshold == 0 ? p : ScoreRow.Drop(p, ScoreRow.Kept(words, place.Element(query, key)), keepScale);

    private Float4 GradientOf(AttentionPlace place, int query, Float4 p, Float4 used, Float4 product)
    {
        if (query >= place.Length) return default;
        float dot = dots[place.RowNumber(query)];
        return new(
            ((used.X * product.X) - (p.X * dot)) * scale, ((used.Y * product.Y) - (p.Y * dot)) * scale, ((used.Z * product.Z) - (p.Z * dot)) * scale, ((used.W * product.W) - (p.W * dot)) * scale);
    }
}
