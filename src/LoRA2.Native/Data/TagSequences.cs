namespace LoRA2.Native.Data;

/// <summary>How many entities are right.</summary>
/// <param name="Actual">True ones.</param>
/// <param name="Predicted">Predicted ones.</param>
/// <param name="Right">Predicted ones that are true, from their first word to their last and in their type.</param>
public readonly record struct EntityScore(int Actual, int Predicted, int Right)
{
    /// <summary>Right / predicted; 0 when none is predicted.</summary>
    public double Precision => Predicted == 0 ? 0 : Right / (double)Predicted;

    /// <summary>Right / actual; 0 when there is none.</summary>
    public double Recall => Actual == 0 ? 0 : Right / (double)Actual;

    /// <summary>Their harmonic mean; 0 when there is nothing of either.</summary>
    public double F1 => Actual + Predicted == 0 ? 0 : 2.0 * Right / (Actual + Predicted);
}

/// <summary>The tags predicted of the words of every text, and the true ones.</summary>
public sealed class TagSequences
{
    private readonly IReadOnlyList<string>[] predicted;
    private readonly IReadOnlyList<string>[] actual;

    /// <summary>Puts them together.</summary>
    /// <param name="predicted">[texts][words].</param>
    /// <param name="actual">[texts][words].</param>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public TagSequences(IReadOnlyList<string>[] predicted, IReadOnlyList<string>[] actual)
    {
        ArgumentNullException.ThrowIfNull(predicted);
        ArgumentNullException.ThrowIfNull(actual);
        if (predicted.Length != actual.Length || predicted.Zip(actual).Any(pair => pair.First.Count != pair.Second.Count))
            throw new ArgumentException("there are not as many predicted tags as true ones", nameof(predicted));
        (this.predicted, this.actual) = (predicted, actual);
    }

    /// <summary>Number of texts.</summary>
    public int Count => predicted.Length;

    /// <summary>Whether a text has words.</summary>
    internal bool HasWords => actual.Any(tags => tags.Count > 0);

    /// <summary>The share of words whose tag is right; 0 without words.</summary>
    public double Accuracy()
    {
        (long right, long words) = (0, 0);
        foreach ((IReadOnlyList<string> tags, IReadOnlyList<string> truth) in predicted.Zip(actual))
        {
            words += tags.Count;
            for (int i = 0; i < tags.Count; i++) right += tags[i] == truth[i] ? 1 : 0;
        }

        return words == 0 ? 0 : right / (double)words;
    }

    /// <summary>Entities of all types together, as seqeval counts them; of one type where it is named.</summary>
    /// <param name="isStrict">Whether only what keeps to the scheme's rules is an entity.</param>
    /// <param name="type">The type, or null.</param>
    public EntityScore Score(bool isStrict, string? type = null)
    {
        bool hasEnds = actual.Concat(predicted).Any(tags => tags.Any(tag => tag.StartsWith("E-", StringComparison.Ordinal) || tag.StartsWith("S-", StringComparison.Ordinal)));
        HashSet<(string, int, int)> Entities(IReadOnlyList<string> tags) =>
            [.. (isStrict ? EntityTags.Strict(tags, hasEnds) : EntityTags.Lenient(tags)).Where(entity => type is null || entity.Type == type)];
        (int truth, int answers, int right) = (0, 0, 0);
        for (int i = 0; i < Count; i++)
        {
            HashSet<(string, int, int)> there = Entities(actual[i]), found = Entities(predicted[i]);
            (truth, answers) = (truth + there.Count, answers + found.Count);
            right += found.Count(there.Contains);
        }

        return new EntityScore(truth, answers, right);
    }
}
