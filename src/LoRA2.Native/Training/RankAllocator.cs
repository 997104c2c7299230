using LoRA2.Native.Adapters;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Training;

/// <summary>
/// Keeps the singular values of AdaLoRA or LoRA2 within the budget (arXiv 2303.10512 and 2408.06854, algorithm 1): after each optimiser step it updates the importance scores and, when
/// the schedule says so, sets to zero every λ_i that is not among the b(t) most important over all adapted matrices. Exactly b(t) survive: ties
/// go to the earlier matrix by name, then to the smaller i. Before the final phase a zeroed value keeps its gradient and may come back.
/// </summary>
public sealed class RankAllocator : IDisposable
{
    private readonly SingularValueAdapter[] adapters;
    private readonly ImportanceScorer[] scorers;
    private readonly double[] scores;
    private readonly double[] ordered;
    private bool[]? kept;

    /// <summary>Takes the adapters in the order of their names.</summary>
    /// <exception cref="ArgumentException">The schedule's initial budget is not the number of singular values.</exception>
    public RankAllocator(IEnumerable<SingularValueAdapter> adapters, BudgetSchedule schedule, double beta1 = 0.85, double beta2 = 0.85)
    {
        this.adapters = [.. adapters.OrderBy(adapter => adapter.Module, StringComparer.Ordinal)];
        schedule.Require();
        int total = this.adapters.Sum(adapter => adapter.SingularValues.Count);
        if (schedule.Initial != total) throw new ArgumentException($"the initial budget {schedule.Initial} is not the number of singular values, {total}");
        Schedule = schedule;
        scorers = Array.ConvertAll(this.adapters, adapter => new ImportanceScorer(adapter.Scored(), beta1, beta2));
        scores = new double[total];
        ordered = new double[total];
        Budget = total;
    }

    /// <summary>The budget by step.</summary>
    public BudgetSchedule Schedule { get; }

    /// <summary>b(t) of the last step.</summary>
    public int Budget { get; private set; }

    /// <summary>The adapters, by name.</summary>
    public IReadOnlyList<SingularValueAdapter> Adapters => adapters;

    /// <summary>For each adapter which singular values the last mask kept; null before the first mask.</summary>
    public IReadOnlyList<bool[]>? Kept
    {
        get
        {
            if (kept is null) return null;
            int start = 0;
            return Array.ConvertAll(adapters, adapter => kept[start..(start += adapter.SingularValues.Count)]);
        }
    }

    /// <summary>How many of an adapter's singular values the last mask kept; all of them before the first mask.</summary>
    public int KeptCount(int adapter)
    {
        if (kept is null) return adapters[adapter].SingularValues.Count;
        int start = 0;
        for (int i = 0; i < adapter; i++) start += adapters[i].SingularValues.Count;
        return kept.AsSpan(start, adapters[adapter].SingularValues.Count).Count(true);
    }

    /// <summary>The averages of every adapter's scorer by name, for checkpoints.</summary>
    internal IEnumerable<(string Name, Tensor Values)> State =>
        adapters.Zip(scorers).SelectMany(pair => pair.Second.State.Select(state => ($"{pair.First.Module}.{state.Name}", state.Values)));

    /// <summary>The last mask as a string of 0 and 1, or null, for checkpoints.</summary>
    internal string? Mask
    {
        get => kept is null ? null : string.Concat(kept.Select(keep => keep ? '1' : '0'));
        set => kept = value?.Select(digit => digit == '1').ToArray();
    }

    /// <summary>The importances of an adapter's singular values.</summary>
    public double[] Importance(int adapter) => scorers[adapter].Scores();

    /// <summary>The mean of <see cref="Importance"/>; allocates nothing.</summary>
    public double MeanImportance(int adapter)
    {
        Span<double> own = scores.AsSpan(0, adapters[adapter].SingularValues.Count);
        scorers[adapter].Scores(own);
        double sum = 0;
        foreach (double score in own) sum += score;
        return sum / Math.Max(1, own.Length);
    }

    /// <summary>The scorers whose averages step <paramref name="step"/> (from 0) changes, for the optimiser to update with the weights; then call <see cref="Prune"/>.</summary>
    public ReadOnlySpan<ImportanceScorer> ScoredAt(int step) => Schedule.Scores(step) ? scorers : [];

    /// <summary>Call after the optimiser's step <paramref name="step"/> (from 0) and the scorers' update: chooses by the scores, and masks.</summary>
    public void Prune(int step)
    {
        Budget = Schedule.At(step);
        if (Schedule.Chooses(step)) Choose();
        if (Schedule.Masks(step)) Apply();
    }

    /// <summary>For an optimiser that knows no scorers: call after its step, while its gradients are still there.</summary>
    public void AfterStep(int step)
    {
        foreach (ImportanceScorer scorer in ScoredAt(step)) scorer.Update();
        Prune(step);
    }

    /// <summary>Frees the averages.</summary>
    public void Dispose()
    {
        foreach (ImportanceScorer scorer in scorers) scorer.Dispose();
    }

    private void Choose()
    {
        int start = 0;
        for (int i = 0; i < scorers.Length; i++)
        {
            int rank = adapters[i].SingularValues.Count;
            scorers[i].Scores(scores.AsSpan(start, rank));
            start += rank;
        }

        scores.CopyTo(ordered, 0);
        Array.Sort(ordered);
        // CompareTo, unlike an operator, puts a NaN below every number, as sorting does.
        double least = Budget == 0 ? double.PositiveInfinity : ordered[^Budget];
        int ties = Budget;
        foreach (double score in scores)
        {
            if (score.CompareTo(least) > 0) ties--;
        }

        kept ??= new bool[scores.Length];
        for (int place = 0; place < scores.Length; place++)
        {
            int order = scores[place].CompareTo(least);
            kept[place] = order > 0 || (order == 0 && ties-- > 0);
        }
    }

    private void Apply()
    {
        if (kept is null) return;
        int place = 0;
        foreach (SingularValueAdapter adapter in adapters)
        {
            using var scope = new TensorScope();
            Tensor values = adapter.SingularValues.To(Device.Cpu);
            foreach (ref float value in values.AsSpan<float>())
            {
                if (!kept[place++]) value = 0;
            }

            if (values != adapter.SingularValues) adapter.SingularValues.CopyFrom(values);
        }
    }
}
