using System.Collections.Concurrent;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>
/// DeBERTa's relative positions (arXiv 2006.03654; buckets as in DeBERTa-v3's released code): which row of the relative embedding table belongs to
/// a distance query − key.
/// </summary>
internal sealed class RelativePositions
{
    private readonly int buckets;
    private readonly int maxPosition;
    private readonly ConcurrentDictionary<int, (int First, int Count, int[] RowOf)> byLength = [];

    /// <param name="buckets">position_buckets, or ≤ 0 for none.</param>
    /// <param name="maxPosition">max_relative_positions, or max_position_embeddings when that is below 1.</param>
    public RelativePositions(int buckets, int maxPosition)
    {
        this.buckets = buckets;
        this.maxPosition = maxPosition;
    }

    /// <summary>Half the rows of the table.</summary>
    public int Span => buckets > 0 ? buckets : maxPosition;

    /// <summary>The bucket of a distance: itself up to half the buckets, then logarithmic.</summary>
    public int Bucket(int distance)
    {
        int mid = buckets / 2;
        int magnitude = Math.Abs(distance);
        if (buckets <= 0 || magnitude <= mid) return distance;

        // In single precision, as the original computes it: a distance on the edge of a bucket falls to the side float rounding puts it.
        float position = MathF.Ceiling(MathF.Log(magnitude / (float)mid) / (float)Math.Log((maxPosition - 1) / (double)mid) * (mid - 1)) + mid;
        return distance < 0 ? -(int)position : (int)position;
    }

    /// <summary>
    /// For a length, the first row in use, their number, and for each distance from −(length − 1) to length − 1 its row counted from the first.
    /// </summary>
    public (int First, int Count, int[] RowOf) Rows(int length)
    {
        if (!byLength.TryGetValue(length, out (int First, int Count, int[] RowOf) found)) byLength[length] = found = Find(length);
        return found;
    }

    private (int First, int Count, int[] RowOf) Find(int length)
    {
        int[] rows = new int[Math.Max((2 * length) - 1, 0)];
        for (int i = 0; i < rows.Length; i++) rows[i] = Math.Clamp(Bucket(i - (length - 1)) + Span, 0, (2 * Span) - 1);
        if (rows.Length == 0) return (0, 0, rows);
        int first = rows.Min();
        int count = rows.Max() - first + 1;
        for (int i = 0; i < rows.Length; i++) rows[i] -= first;
        return (first, count, rows);
    }
}
