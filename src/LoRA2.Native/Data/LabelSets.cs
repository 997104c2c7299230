namespace LoRA2.Native.Data;

/// <summary>The labels of every example: how likely a model says each is, from which probability on it counts as predicted, and which are true.</summary>
public sealed class LabelSets
{
    private readonly double[][] probabilities;
    private readonly bool[][] truth;
    private readonly double[] thresholds;

    /// <summary>Puts them together.</summary>
    /// <param name="probabilities">[examples][labels].</param>
    /// <param name="truth">[examples][labels].</param>
    /// <param name="thresholds">[labels].</param>
    /// <exception cref="ArgumentException">The sizes don't fit each other.</exception>
    public LabelSets(double[][] probabilities, bool[][] truth, double[] thresholds)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentNullException.ThrowIfNull(thresholds);
        if (probabilities.Length != truth.Length || probabilities.Any(row => row.Length != thresholds.Length) || truth.Any(row => row.Length != thresholds.Length))
            throw new ArgumentException($"probabilities of {probabilities.Length} examples, truth of {truth.Length} and {thresholds.Length} thresholds don't fit each other");
        (this.probabilities, this.truth, this.thresholds) = (probabilities, truth, thresholds);
    }

    /// <summary>Number of examples.</summary>
    public int Count => truth.Length;

    /// <summary>Number of labels.</summary>
    public int Labels => thresholds.Length;

    /// <summary>The probability of a label.</summary>
    public double Probability(int example, int label) => probabilities[example][label];

    /// <summary>Whether an example has a label.</summary>
    public bool IsTrue(int example, int label) => truth[example][label];

    /// <summary>Whether a label is predicted of an example.</summary>
    public bool IsPredicted(int example, int label) => probabilities[example][label] >= thresholds[label];

    /// <summary>How many examples have a label.</summary>
    public int Actual(int label) => Enumerable.Range(0, Count).Count(i => IsTrue(i, label));

    /// <summary>The number of examples that a label is predicted of.</summary>
    public int Predicted(int label) => Enumerable.Range(0, Count).Count(i => IsPredicted(i, label));

    /// <summary>The number of those that it is true of.</summary>
    public int Right(int label) => Enumerable.Range(0, Count).Count(i => IsTrue(i, label) && IsPredicted(i, label));
}
