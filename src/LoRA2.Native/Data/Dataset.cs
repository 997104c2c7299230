using LoRA2.Native.Tasks;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Data;

/// <summary>Examples of one task and split, never empty.</summary>
public sealed class Dataset
{
    /// <summary>Puts examples together.</summary>
    /// <param name="name">What the data is called in reports.</param>
    /// <param name="examples">At least one.</param>
    /// <param name="labelNames">The outputs' names, or null.</param>
    /// <param name="skippedRows">See <see cref="SkippedRows"/>.</param>
    public Dataset(string name, IReadOnlyList<Example> examples, IReadOnlyList<string>? labelNames, int skippedRows = 0)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(examples);
        Name = name;
        Examples = examples;
        LabelNames = labelNames;
        SkippedRows = skippedRows;
    }

    /// <summary>What the data is called in reports: a task and split, or a file's name.</summary>
    public string Name { get; }

    /// <summary>The examples in the order of the file.</summary>
    public IReadOnlyList<Example> Examples { get; }

    /// <summary>The outputs' names by index, of classes, labels, tags or several targets; null for one number and for data without labels.</summary>
    public IReadOnlyList<string>? LabelNames { get; }

    /// <summary>
    /// Rows left out because the original distribution is known to have them: QQP's broken rows, MNLI's without a gold label.
    /// </summary>
    public int SkippedRows { get; }

    /// <summary>What a GLUE test split calls each example; null for other data, and where the file does not say.</summary>
    public IReadOnlyList<string>? Indices { get; internal init; }

    /// <summary>What the reader of the data should know of how it was read.</summary>
    public IReadOnlyList<string> Notes { get; internal init; } = [];

    /// <summary>The same examples with their classes numbered as a model numbers them.</summary>
    /// <param name="mapping">The model's index of each class, see <see cref="ClassNames.Mapping"/>.</param>
    /// <param name="names">The model's names.</param>
    public Dataset WithClasses(IReadOnlyList<int> mapping, IReadOnlyList<string>? names)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        return new(Name, [.. Examples.Select(example => example.Target is null ? example : example with { Target = mapping[example.Label] })], names, SkippedRows) { Indices = Indices, Notes = Notes };
    }

    /// <summary>Some of the examples, in their order.</summary>
    /// <param name="prefix">What the part is called, before this data set's name.</param>
    /// <param name="takes">Whether an example is in it, by its place.</param>
    public Dataset Part(string prefix, Func<int, bool> takes)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentNullException.ThrowIfNull(takes);
        return new(prefix + Name, [.. Examples.Where((_, i) => takes(i))], LabelNames, SkippedRows) { Notes = Notes };
    }

    /// <summary>
    /// Two parts, to train on one and to score on the other: of every class, or of all examples where there are none, the same share is held out, in an order that the seed
    /// decides. A class keeps at least one example for training.
    /// </summary>
    /// <param name="share">From 0 to 1.</param>
    /// <param name="seed">Another gives other parts.</param>
    /// <param name="group">What examples that belong into one part have in common, see <see cref="TaskKind.GroupOf"/>; null where each stands for itself. Of groups the share is held out, whatever the classes.</param>
    /// <returns>Null when the share is less than an example or a group.</returns>
    public (Dataset Training, Dataset HeldOut)? Split(double share, ulong seed, Func<Example, string?>? group = null)
    {
        if (group is not null && group(Examples[0]) is not null) return SplitGroups(share, seed, group);
        bool hasClasses = LabelNames is not null && Examples.All(example => example.Target is not null);
        var held = new HashSet<int>();
        foreach (IGrouping<int, int> alike in new Philox(seed, 0x73706c74).Permutation(Examples.Count).GroupBy(i => hasClasses ? Examples[i].Label : 0))
        {
            int[] order = [.. alike];
            held.UnionWith(order.Take(Math.Min(order.Length - 1, (int)Math.Round(share * order.Length, MidpointRounding.AwayFromZero))));
        }

        return held.Count == 0 ? null : (Part("", i => !held.Contains(i)), Part("held out of ", held.Contains));
    }

    private (Dataset Training, Dataset HeldOut)? SplitGroups(double share, ulong seed, Func<Example, string?> group)
    {
        string?[] groups = [.. Examples.Select(group).Distinct()];
        int count = Math.Min(groups.Length - 1, (int)Math.Round(share * groups.Length, MidpointRounding.AwayFromZero));
        HashSet<string?> held = [.. new Philox(seed, 0x73706c74).Permutation(groups.Length).Take(count).Select(i => groups[i])];
        return held.Count == 0 ? null : (Part("", i => !held.Contains(group(Examples[i]))), Part("held out of ", i => held.Contains(group(Examples[i]))));
    }

    /// <summary>Whether every example has a label or a score.</summary>
    public bool HasTargets => Examples[0].IsLabelled;
}
