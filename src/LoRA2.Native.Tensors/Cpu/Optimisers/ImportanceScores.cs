using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Optimisers;

/// <summary>A <see cref="ScoreTerm"/> as the kernel sees it, and the scores that it is added to.</summary>
internal readonly unsafe struct ScorePointers(void* average, void* uncertainty, bool isDouble, nint length, nint along, nint next, double divisor, double* scores, int rank)
{
    public readonly void* Average = average;
    public readonly void* Uncertainty = uncertainty;
    public readonly bool IsDouble = isDouble;
    public readonly nint Length = length;
    public readonly nint Along = along;
    public readonly nint Next = next;
    public readonly double Divisor = divisor;
    public readonly double* Scores = scores;
    public readonly int Rank = rank;
}

/// <summary>The importances of many scorers in one region, a scorer a part: the products of a factor first, then their sums, each in order, four beside each other.</summary>
internal static unsafe class ImportanceScores
{
    /// <summary>Adds to the scores, which were cleared, the terms starts[s] … starts[s + 1] − 1 of each scorer s.</summary>
    public static void Run(ScorePointers* terms, int* starts, int scorers) => ThreadTeam.Run(scorers, new ScorerTask(terms, starts));

    private readonly struct ScorerTask(ScorePointers* terms, int* starts) : IParallelTask
    {
        public void Run(int index)
        {
            for (int i = starts[index]; i < starts[index + 1]; i++) Add(terms[i]);
        }
    }

    private static void Add(in ScorePointers term)
    {
        nint count = term.Next == 0 ? term.Length : term.Length * term.Rank;
        double* products = Scratch.Get<double>(ScratchSlot.Row, count);
        if (term.IsDouble) Products((double*)term.Average, (double*)term.Uncertainty, count, products);
        else Products((float*)term.Average, (float*)term.Uncertainty, count, products);
        if (term.Next == 0)
        {
            double share = Sum(products, term.Length, term.Along) / term.Divisor;
            for (int j = 0; j < term.Rank; j++) term.Scores[j] += share;
            return;
        }

        int i = 0;
        for (; i <= term.Rank - 4; i += 4) AddFour(products + (i * term.Next), term, term.Scores + i);
        for (; i < term.Rank; i++) term.Scores[i] += Sum(products + (i * term.Next), term.Length, term.Along) / term.Divisor;
    }

    private static void Products(double* average, double* uncertainty, nint count, double* products)
    {
        for (nint i = 0; i < count; i++) products[i] = average[i] * uncertainty[i];
    }

    /// <summary>Exact, as the product of two floats has no more bits than a double.</summary>
    private static void Products(float* average, float* uncertainty, nint count, double* products)
    {
        nint i = 0;
        for (; i <= count - Vector128<float>.Count; i += Vector128<float>.Count)
        {
            Vector128<float> a = Vector128.Load(average + i), u = Vector128.Load(uncertainty + i);
            (Vector128.WidenLower(a) * Vector128.WidenLower(u)).Store(products + i);
            (Vector128.WidenUpper(a) * Vector128.WidenUpper(u)).Store(products + i + Vector128<double>.Count);
        }

        for (; i < count; i++) products[i] = (double)average[i] * uncertainty[i];
    }

    private static void AddFour(double* products, in ScorePointers term, double* scores)
    {
        double sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
        double* end = products + (term.Length * term.Along);
        (nint along, nint next) = (term.Along, term.Next);
        for (double* at = products; at < end; at += along)
        {
            sum0 += at[0];
            sum1 += at[next];
            sum2 += at[2 * next];
            sum3 += at[3 * next];
        }

        scores[0] += sum0 / term.Divisor;
        scores[1] += sum1 / term.Divisor;
        scores[2] += sum2 / term.Divisor;
        scores[3] += sum3 / term.Divisor;
    }

    private static double Sum(double* products, nint length, nint along)
    {
        double sum = 0;
        for (nint j = 0; j < length * along; j += along) sum += products[j];
        return sum;
    }
}
