using LoRA2.Native.Files;
using LoRA2.Native.Tasks.Kinds;

namespace LoRA2.Native.Tasks;

/// <summary>The registry of kinds of tasks, each with its usual settings.</summary>
public static class TaskKinds
{
    private static readonly Lock Gate = new();

    /// <summary>One label a text.</summary>
    public static TaskKind Classification { get; } = new ClassificationTask();

    /// <summary>One number a text, or several.</summary>
    public static TaskKind Regression { get; } = new RegressionTask();

    /// <summary>Any number of labels a text.</summary>
    public static TaskKind MultiLabel { get; } = new MultiLabelTask();

    /// <summary>A vector a text.</summary>
    public static TaskKind Embeddings { get; } = new EmbeddingsTask();

    /// <summary>A tag each word: names, places and the like.</summary>
    public static TaskKind Tokens { get; } = new TokenTask();

    /// <summary>Masked language modelling: the words that are hidden in plain text.</summary>
    public static TaskKind Masked { get; } = new MaskedTask();

    /// <summary>How well a document answers a query, both read together.</summary>
    public static TaskKind Ranking { get; } = new RankingTask();

    private static TaskKind[] all =
    [
        Classification,
        Regression,
        MultiLabel,
        Embeddings,
        Tokens,
        Masked,
        Ranking,
    ];

    /// <summary>All of them, in the order in which they were added.</summary>
    public static IReadOnlyList<TaskKind> All => all;

    /// <summary>The kind of that name, or null.</summary>
    public static TaskKind? Of(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return All.FirstOrDefault(kind => kind.Name == name);
    }

    /// <summary>The kind of that name.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static TaskKind Named(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Of(name) ?? throw new InputException($"there is no kind of task {Quote.Name(name)}; there are {string.Join(", ", All)}");
    }

    /// <summary>Adds a kind, so that data, folders and the command line can name it, from here on and on every thread.</summary>
    /// <exception cref="ArgumentException">There is a kind of that name.</exception>
    public static void Register(TaskKind kind)
    {
        ArgumentNullException.ThrowIfNull(kind);
        lock (Gate)
        {
            if (Of(kind.Name) is not null) throw new ArgumentException($"there is a kind of task named {kind.Name} already", nameof(kind));
            all = [.. all, kind];
        }
    }
}
