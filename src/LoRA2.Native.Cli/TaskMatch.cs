using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Cli;

/// <summary>Whether a model can be asked about a GLUE task.</summary>
internal static class TaskMatch
{
    /// <summary>The model's index of each of the task's classes: by name where both have names, else in the task's order; null for regression.</summary>
    /// <exception cref="InputException">The model predicts something else.</exception>
    public static int[]? Require(GlueTask task, TextClassifier classifier)
    {
        static string What(bool regression, int labels) => regression ? "a number" : $"one of {labels} classes";
        EncoderConfig config = classifier.Model.Config;
        if (task.IsRegression != config.IsRegression || (task.LabelNames?.Count ?? 1) != config.Labels)
            throw new InputException($"the model predicts {What(config.IsRegression, config.Labels)}; {task.Name} needs {What(task.IsRegression, task.LabelNames?.Count ?? 1)}");
        if (task.LabelNames is not { } expected) return null;
        int[] inOrder = [.. Enumerable.Range(0, expected.Count)];
        if (classifier.Task.LabelNames is not { } found) return inOrder;
        if (ClassNames.Mapping(expected, found) is { } mapping) return mapping;
        // Names like LABEL_0, and a task whose classes are 0 and 1, say nothing but the order.
        if (ClassNames.SayOnlyTheOrder(expected) || ClassNames.SayOnlyTheOrder(found)) return inOrder;
        throw new InputException($"the model's classes are {string.Join(", ", found)}; {task.Name} needs {string.Join(", ", expected)}");
    }
}
