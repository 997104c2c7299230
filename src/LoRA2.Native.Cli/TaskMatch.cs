using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tasks;

namespace LoRA2.Native.Cli;

/// <summary>Whether a model can be asked about a GLUE task.</summary>
internal static class TaskMatch
{
    /// <summary>Refuses a kind of task by name that is not the model's.</summary>
    /// <param name="name">What --task says, or null.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="InputException">It is another kind's.</exception>
    public static void RequireKind(string? name, TextModel model)
    {
        if (name is null || TaskKinds.Of(name) is not { } kind || kind.Name == model.Task.Kind.Name) return;
        // Any single output, or the second of two classes, may say how well a text fits.
        if (kind.Name == TaskKinds.Ranking.Name && model.Task.Kind.AnswersTexts) return;
        throw new InputException($"--task is {kind}, and this model's is {model.Task.Kind}; leave out --task, or give a model that was trained for {kind}");
    }

    /// <summary>The model's index of each of the task's classes: by name where both have names, else in the task's order; null for regression.</summary>
    /// <exception cref="InputException">The model predicts something else.</exception>
    public static int[]? Require(GlueTask task, TextModel classifier)
    {
        static string What(TaskKind kind, int labels) => kind.Input == MetricInput.Classes ? $"one of {labels} classes" : labels == 1 ? "a number" : $"{kind.Title} ({labels})";
        EncoderConfig config = classifier.Model.Config;
        TaskKind kind = task.IsRegression ? TaskKinds.Regression : TaskKinds.Classification;
        if (kind.Input != config.Kind.Input || (task.LabelNames?.Count ?? 1) != config.Labels)
            throw new InputException($"the model predicts {What(config.Kind, config.Labels)}; {task.Name} needs {What(kind, task.LabelNames?.Count ?? 1)}");
        if (task.LabelNames is not { } expected) return null;
        int[] inOrder = [.. Enumerable.Range(0, expected.Count)];
        if (classifier.Task.LabelNames is not { } found) return inOrder;
        if (ClassNames.Mapping(expected, found) is { } mapping) return mapping;
        // Names like LABEL_0, and a task whose classes are 0 and 1, say nothing but the order.
        if (ClassNames.SayOnlyTheOrder(expected) || ClassNames.SayOnlyTheOrder(found)) return inOrder;
        throw new InputException($"the model's classes are {string.Join(", ", found)}; {task.Name} needs {string.Join(", ", expected)}");
    }
}
