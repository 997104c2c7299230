using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu;

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

/// <summary>The importances of many scorers in one region, a scorer a part.</summary>
internal static unsafe class ImportanceScores
{
    /// <summary>Adds to the scores, which were cleared, the terms starts[s] … starts[s + 1] − 1 of each scorer s.</summary>
    public static void Run(ScorePointers* terms, int* starts, int scorers) => ThreadTeam.Run(scorers, new ScorerTask(terms, starts));

    private readonly struct ScorerTask(ScorePointers* terms, int* starts) : IParallelTask
    {
        public void Run(int index)
        {
            for (int i = starts[index]; i < starts[index + 1]; i++)
            {
                if (terms[i].IsDouble) Add<double>(terms[i]);
                else Add<float>(terms[i]);
            }
        }
    }

    private static void Add<T>(in ScorePointers term)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double sum = 0;
        for (int i = 0; i < term.Rank; i++)
        {
            if (i == 0 || term.Next != 0) sum = Sum((T*)term.Average + (i * term.Next), (T*)term.Uncertainty + (i * term.Next), term.Length, term.Along);
            term.Scores[i] += sum / term.Divisor;
        }
    }

    private static double Sum<T>(T* average, T* uncertainty, nint length, nint along)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double sum = 0;
        for (nint j = 0; j < length * along; j += along) sum += double.CreateTruncating(average[j]) * double.CreateTruncating(uncertainty[j]);
        return sum;
    }
}
