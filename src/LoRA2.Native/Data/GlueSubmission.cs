using System.Globalization;
using System.Text;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>
/// Predictions as GLUE's server takes them (https://gluebenchmark.com/faq): one file of two tab-separated columns for each test set; a zip of all tasks' files
/// is what is handed in.
/// </summary>
public static class GlueSubmission
{
    /// <summary>
    /// Writes one test set's predictions: the header <c>index prediction</c>, then a row for each example. The index is the test file's own, or the row's number
    /// from 0 where it has none. A class is its name (0 and 1, or entailment and so on); a score has three decimals and is clipped to the task's bounds.
    /// </summary>
    /// <param name="path">The file to make or replace, as a whole or not at all; see <see cref="GlueTask.SubmissionFiles"/>.</param>
    /// <param name="task">The task.</param>
    /// <param name="test">Its test set.</param>
    /// <param name="predictions">The class's number, or the score, of each example.</param>
    /// <exception cref="InputException">Rows of the test set were left out, or a score is no number: the server would refuse the file.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, GlueTask task, Dataset test, IReadOnlyList<float> predictions)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(test);
        ArgumentNullException.ThrowIfNull(predictions);
        RequireComplete(test);
        if (predictions.Count != test.Examples.Count)
            throw new ArgumentException($"{predictions.Count} predictions for {test.Examples.Count} examples, expected as many.", nameof(predictions));
        var text = new StringBuilder("index\tprediction\n");
        for (int i = 0; i < predictions.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"{test.Indices?[i] ?? i.ToString(CultureInfo.InvariantCulture)}\t{Text(task, test, i, predictions[i])}\n");
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>Refuses a test set of which rows were left out: the server wants a prediction of each.</summary>
    /// <exception cref="InputException">There are such rows.</exception>
    public static void RequireComplete(Dataset test)
    {
        ArgumentNullException.ThrowIfNull(test);
        if (test.SkippedRows > 0)
            throw new InputException($"{test.Name}: rows of the file that cannot be used: {test.SkippedRows}, expected none, for the server wants a prediction of each.");
    }

    private static string Text(GlueTask task, Dataset test, int example, float prediction)
    {
        if (task.LabelNames is { } names) return names[(int)prediction];
        if (!float.IsFinite(prediction))
            throw new InputException($"{test.Name}: the model predicts {prediction} for example {example + 1}, expected a finite number.");
        (float lowest, float highest) = task.ScoreRange;
        return Math.Clamp(prediction, lowest, highest).ToString("F3", CultureInfo.InvariantCulture);
    }
}
