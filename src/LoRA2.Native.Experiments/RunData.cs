using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Experiments;

/// <summary>Labelled data to train on and to choose the best weights by, and what is to be learned from it.</summary>
/// <param name="Task">The task's name.</param>
/// <param name="Train">Training data.</param>
/// <param name="Development">Development data, or null.</param>
/// <param name="LabelNames">The outputs' names, or null for a single number.</param>
/// <param name="Metrics">What counts, the primary metric first.</param>
public sealed record RunData(string Task, Dataset Train, Dataset? Development, IReadOnlyList<string>? LabelNames, IReadOnlyList<Metric> Metrics)
{
    /// <summary>Development data that is scored besides, by the prefix of its metrics' names; see <see cref="GlueTask.FurtherDevelopmentSplits"/>.</summary>
    public IReadOnlyDictionary<string, Dataset> Further { get; init; } = new Dictionary<string, Dataset>();

    /// <summary>What is learned.</summary>
    public TaskKind Kind { get; init; } = LabelNames is null ? TaskKinds.Regression : TaskKinds.Classification;

    /// <summary>Outputs of the model.</summary>
    public int Outputs => LabelNames?.Count ?? 1;

    /// <summary>Training data that is not trained on, for <see cref="TaskKind.Fitted"/>, or null.</summary>
    public Dataset? HeldOut { get; init; }

    /// <summary>What always giving the development data's most frequent answer would score, see <see cref="TaskKind.Baseline"/>; null where there is nothing of the kind.</summary>
    public (string Label, string Metric, double Value)? Majority() => Development is null ? null : Kind.Baseline(Development, LabelNames);

    /// <summary>The same with what the training data decide of the kind, see <see cref="TaskKind.ForTraining"/>.</summary>
    public RunData Settled() => this with { Kind = Kind.ForTraining(Train) };

    /// <summary>The same with a part of the training data held out, where the kind asks for it: every tenth example of an order that the seed decides.</summary>
    public RunData Held(ulong seed)
    {
        if (!Kind.HoldsOut) return this;
        int count = Math.Max(1, Train.Examples.Count / 10);
        if (Train.Examples.Count < 2) throw new InputException($"{Train.Name}: one example; at least two were expected where a part is held out");
        HashSet<int> held = [.. new Philox(seed, 0x68656c64).Permutation(Train.Examples.Count).Take(count)];
        return this with { HeldOut = Train.Part("held out of ", i => held.Contains(i)), Train = Train.Part("", i => !held.Contains(i)) };
    }
}
