namespace LoRA2.Native.Experiments.Reporting;

/// <summary>Curves of many points made fit for a picture.</summary>
internal static class Curve
{
    private const int MostPoints = 1000;

    /// <summary>The mean of a window of a twentieth of the curve around each point, of nine points at least; at the ends, of what there is of it.</summary>
    public static (double X, double Y)[] RunningMean(IReadOnlyList<(double X, double Y)> points)
    {
        int half = Math.Max(4, points.Count / 40);
        double[] sums = new double[points.Count + 1];
        for (int i = 0; i < points.Count; i++) sums[i + 1] = sums[i] + points[i].Y;
        var means = new (double X, double Y)[points.Count];
        for (int i = 0; i < means.Length; i++)
        {
            int from = Math.Max(0, i - half), to = Math.Min(means.Length, i + half + 1);
            means[i] = (points[i].X, (sums[to] - sums[from]) / (to - from));
        }

        return means;
    }

    /// <summary>At most a thousand points: of each stretch the least and the greatest, so that no peak is lost.</summary>
    public static IReadOnlyList<(double X, double Y)> Thinned(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count <= MostPoints) return points;
        var kept = new List<(double X, double Y)> { points[0] };
        int stretches = MostPoints / 2;
        for (int stretch = 0; stretch < stretches; stretch++)
        {
            int from = (int)((long)points.Count * stretch / stretches), to = (int)((long)points.Count * (stretch + 1) / stretches);
            int least = from, greatest = from;
            for (int i = from; i < to; i++)
            {
                if (points[i].Y < points[least].Y) least = i;
                if (points[i].Y > points[greatest].Y) greatest = i;
            }

            kept.Add(points[Math.Min(least, greatest)]);
            if (least != greatest) kept.Add(points[Math.Max(least, greatest)]);
        }

        kept.Add(points[^1]);
        return kept;
    }

    /// <summary>The corners of a curve that goes in steps.</summary>
    public static IReadOnlyList<(double X, double Y)> Steps(IReadOnlyList<(double X, double Y)> points)
    {
        var corners = new List<(double X, double Y)>();
        for (int i = 0; i < points.Count; i++)
        {
            if (i > 0 && i < points.Count - 1 && points[i].Y == points[i - 1].Y && points[i].Y == points[i + 1].Y) continue;
            corners.Add(points[i]);
        }

        return corners;
    }
}
