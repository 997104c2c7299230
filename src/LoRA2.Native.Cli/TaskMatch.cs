using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Cli;

/// <summary>Whether a model can be asked about a GLUE task.</summary>
internal static class TaskMatch
{
    /// <exception cref="InputException">The model predicts something else, or the task's classes in another order.</exception>
    public static void Require(GlueTask task, TextClassifier classifier)
    {
        static string What(bool regression, int labels) => regression ? "a number" : $"one of {labels} classes";
        EncoderConfig config = classifier.Model.Config;
        if (task.IsRegression != config.IsRegression || (task.LabelNames?.Count ?? 1) != config.Labels)
            throw new InputException($"the model predicts {What(config.IsRegression, config.Labels)}; {task.Name} needs {What(task.IsRegression, task.LabelNames?.Count ?? 1)}");
        // Names of the model's own, LABEL_0 and the like, are taken to be in the task's order.
        if (task.LabelNames is not { } expected || classifier.Task.LabelNames is not { } found || found.SequenceEqual(expected, StringComparer.OrdinalIgnoreCase)) return;
        if (found.Order(StringComparer.OrdinalIgnoreCase).SequenceEqual(expected.Order(StringComparer.OrdinalIgnoreCase), StringComparer.OrdinalIgnoreCase))
            throw new InputException($"the model's classes are {string.Join(", ", found)} in this order; {task.Name} needs {string.Join(", ", expected)}");
    }
}
