using LoRA2.Native.Adapters;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;

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
    private readonly Tensor[] values;
    private readonly double[] scores;
    private readonly double[] ordered;

    // The last mask, 1 for what is kept, here and where the adapters are.
    private readonly int[] kept;
    private readonly Tensor mask;
    private bool chosen;

    /// <summary>Takes the adapters in the order of their names. They stay on the device that they are on.</summary>
    /// <exception cref="ArgumentException">The schedule's initial budget is not the number of singular values.</exception>
    public RankAllocator(IEnumerable<SingularValueAdapter> adapters, BudgetSchedule schedule, double beta1 = 0.85, double beta2 = 0.85)
    {
        ArgumentNullException.ThrowIfNull(adapters);
        ArgumentNullException.ThrowIfNull(schedule);
        this.adapters = [.. adapters.OrderBy(adapter => adapter.Module, StringComparer.Ordinal)];
        schedule.Require();
        int total = this.adapters.Sum(adapter => adapter.SingularValues.Count);
        if (schedule.Initial != total) throw new ArgumentException($"the initial budget {schedule.Initial} is not the number of singular values, {total}");
        Schedule = schedule;
        scorers = Array.ConvertAll(this.adapters, adapter => new ImportanceScorer(adapter.Scored(), beta1, beta2));
        values = Array.ConvertAll(this.adapters, adapter => adapter.SingularValues);
        scores = new double[total];
        ordered = new double[total];
        kept = new int[total];
        using var scope = new TensorScope();
        mask = scope.Detach(Tensor.Zeros([total], DType.Int32, total > 0 ? values[0].Device : Device.Cpu));
        Budget = total;
    }

    /// <summary>The budget by step.</summary>
    public BudgetSchedule Schedule { get; }

    /// <summary>b(t) of the last step.</summary>
    public int Budget { get; private set; }

    /// <summary>The adapters, by name.</summary>
    public IReadOnlyList<SingularValueAdapter> Adapters => adapters;

    /// <summary>Which singular values of each adapter the last mask kept; null before the first mask.</summary>
    public IReadOnlyList<bool[]>? Kept
    {
        get
        {
            if (!chosen) return null;
            int start = 0;
            return Array.ConvertAll(values, value => Array.ConvertAll(kept[start..(start += value.Count)], keep => keep != 0));
        }
    }

    /// <summary>How many of an adapter's singular values the last mask kept; all of them before the first mask.</summary>
    public int KeptCount(int adapter)
    {
        if (!chosen) return values[adapter].Count;
        int start = 0;
        for (int i = 0; i < adapter; i++) start += values[i].Count;
        return kept.AsSpan(start, values[adapter].Count).Count(1);
    }

    /// <summary>The averages of every adapter's scorer by name, for checkpoints.</summary>
    internal IEnumerable<(string Name, Tensor Values)> State =>
        adapters.Zip(scorers).SelectMany(pair => pair.Second.State.Select(state => ($"{pair.First.Module}.{state.Name}", state.Values)));

    /// <summary>The last mask as a string of 0 and 1, or null, for checkpoints.</summary>
    internal string? Mask
    {
        get => chosen ? string.Concat(kept.Select(keep => keep == 0 ? '0' : '1')) : null;
        set
        {
            chosen = false;
            if (value is null) return;
            if (value.Length != kept.Length) throw new FormatException($"the mask is of {value.Length} singular values; {kept.Length} were expected");
            for (int i = 0; i < kept.Length; i++) kept[i] = value[i] == '1' ? 1 : 0;
            mask.Write<int>(kept);
            chosen = true;
        }
    }

    /// <summary>The importances of an adapter's singular values.</summary>
    public double[] Importance(int adapter) => scorers[adapter].Scores();

    /// <summary>Writes for each adapter the mean of <see cref="Importance"/>, from one reading of them all; allocates nothing.</summary>
    public void MeanImportances(Span<double> means)
    {
        ImportanceScorer.Scores(scorers, scores);
        int start = 0;
        for (int i = 0; i < adapters.Length; i++)
        {
            int rank = values[i].Count;
            double sum = 0;
            foreach (double score in scores.AsSpan(start, rank)) sum += score;
            means[i] = sum / Math.Max(1, rank);
            start += rank;
        }
    }

    /// <summary>The scorers whose averages step <paramref name="step"/> (from 0) changes, for the optimiser to update with the weights; then call <see cref="Prune"/>.</summary>
    public ReadOnlySpan<ImportanceScorer> ScoredAt(int step) => Schedule.Scores(step) ? scorers : ReadOnlySpan<ImportanceScorer>.Empty;

    /// <summary>Call after the optimiser's step <paramref name="step"/> (from 0) and the scorers' update: chooses by the scores, and masks.</summary>
    public void Prune(int step)
    {
        Budget = Schedule.At(step);
        if (Schedule.Chooses(step)) Choose();
        if (chosen && Schedule.Masks(step) && kept.Length > 0) mask.Device.Kernels.Prune(values, mask);
    }

    /// <summary>Takes the sensitivities for an optimiser that knows no scorers: to be called after its step, while its gradients are still there.</summary>
    public void AfterStep(int step)
    {
        foreach (ImportanceScorer scorer in ScoredAt(step)) scorer.Update();
        Prune(step);
    }

    /// <summary>Frees the averages.</summary>
    public void Dispose()
    {
        foreach (ImportanceScorer scorer in scorers) scorer.Dispose();
        mask.Dispose();
    }

    private void Choose()
    {
        ImportanceScorer.Scores(scorers, scores);
        scores.CopyTo(ordered, 0);
        Array.Sort(ordered);
        // CompareTo, unlike an operator, puts a NaN below every number, as sorting does.
        double least = Budget == 0 ? double.PositiveInfinity : ordered[^Budget];
        int ties = Budget;
        foreach (double score in scores)
        {
            if (score.CompareTo(least) > 0) ties--;
        }

        for (int place = 0; place < scores.Length; place++)
        {
            int order = scores[place].CompareTo(least);
            kept[place] = order > 0 || (order == 0 && ties-- > 0) ? 1 : 0;
        }

        chosen = true;
        mask.Write<int>(kept);
    }
}
