namespace LoRA2.Native.Data;

/// <summary>How well a search finds, from the place of each query's own text among all that were searched: 1 is the best. Every query has one right text.</summary>
internal static class RankFormulas
{
    private const int Places = 10;

    /// <summary>The mean of 1 / place, 0 beyond the tenth.</summary>
    public static double ReciprocalRank(ReadOnlySpan<double> places, ReadOnlySpan<double> right) => Mean(places, static place => place <= Places ? 1 / place : 0);

    /// <summary>The mean of 1 / log₂(1 + place), 0 beyond the tenth: the discounted gain, whose best is 1 with one right text.</summary>
    public static double DiscountedGain(ReadOnlySpan<double> places, ReadOnlySpan<double> right) => Mean(places, static place => place <= Places ? 1 / Math.Log2(1 + place) : 0);

    /// <summary>The share at the first place.</summary>
    public static double RecallAt1(ReadOnlySpan<double> places, ReadOnlySpan<double> right) => Mean(places, static place => place <= 1 ? 1 : 0);

    /// <summary>The share at the first ten places.</summary>
    public static double RecallAt10(ReadOnlySpan<double> places, ReadOnlySpan<double> right) => Mean(places, static place => place <= Places ? 1 : 0);

    private static double Mean(ReadOnlySpan<double> places, Func<double, double> gain)
    {
        double sum = 0;
        foreach (double place in places) sum += gain(place);
        return sum / places.Length;
    }
}
