using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli;

/// <summary>A folder with predictions of GLUE's test sets, which several runs, one for each task, may fill.</summary>
internal sealed class SubmissionFolder(string path)
{
    /// <summary>Predicts all test sets of a task and writes the file of each.</summary>
    /// <param name="classifier">The model.</param>
    /// <param name="task">The task.</param>
    /// <param name="data">The task's folder.</param>
    /// <param name="batchSize">Examples computed together.</param>
    /// <param name="streams">Told of each file.</param>
    /// <exception cref="InputException">A test set is missing or damaged, or the model is for something else.</exception>
    public void Add(TextModel classifier, GlueTask task, string data, int batchSize, StandardStreams streams)
    {
        int[]? classes = TaskMatch.Require(task, classifier);
        (string File, Dataset Test)[] sets = [.. task.SubmissionFiles.Select(file => (file.Value, task.Load(data, file.Key)))];
        foreach ((_, Dataset test) in sets) GlueSubmission.RequireComplete(test);
        OutputPlace.Make(path);
        foreach ((string file, Dataset test) in sets)
        {
            TokenizedDataset tokens = TokenizedDataset.Create(test.Name, test.Examples, classifier.Tokenizer, classifier.Model.Config, classifier.MaxLength);
            float[][] logits = Evaluator.Logits(classifier.Model, tokens, batchSize, streams.Cancellation);
            string target = Path.Combine(path, file);
            float[] predictions = Evaluator.Predictions(classifier.Model.Config, logits);
            GlueSubmission.Write(target, task, test, classes is null ? predictions : Array.ConvertAll(predictions, predicted => (float)Array.IndexOf(classes, (int)predicted)));
            streams.Output.WriteLine($"{target}: {test.Examples.Count:N0} predictions{(tokens.CutCount > 0 ? $"; {tokens.CutCount:N0} texts cut at {classifier.MaxLength} tokens" : "")}");
        }
    }
}
