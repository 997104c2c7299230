using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Cli.Tests;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

/// <summary>Predictions for GLUE's server.</summary>
public sealed class SubmissionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void BothOfMNLIsTestSetsArePredictedInOneGo()
    {
        (string glue, string adapter, string submission) = (TinyGlue.WriteMnli(folder), folder.File("mnli"), Path.Combine(folder.Path, "new", "submission"));
        TinyGlue.Finetune(folder, "MNLI", glue, adapter, "--epochs", "2").Done();
        CommandResult result = Lora2.Run("predict", "--adapter", adapter, "--task", "mnli", "--data", glue, "--submission", submission).Done();
        Assert.Contains("MNLI-m.tsv: 2 predictions\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("MNLI-mm.tsv: 3 predictions\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(["MNLI-m.tsv", "MNLI-mm.tsv"], Directory.GetFiles(submission).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach ((int i, var rows) in TinyGlue.MnliTests.Index())
        {
            string input = string.Concat(rows.Select(row => JsonSerializer.Serialize(new Dictionary<string, string> { ["text"] = row.Premise, ["text_pair"] = row.Hypothesis }) + "\n"));
            JsonElement[] answers = Lora2.RunWith(input, "predict", "--adapter", adapter, "--json-lines").Done().JsonLines;
            string[] expected = ["index\tprediction", .. rows.Zip(answers, (row, answer) => $"{row.Index}\t{answer.GetProperty("label").GetString()}")];
            Assert.Equal(expected, File.ReadAllLines(Path.Combine(submission, i == 0 ? "MNLI-m.tsv" : "MNLI-mm.tsv")));
        }
    }

    [Fact]
    public void AScoreIsClippedAndOtherTasksFilesStay()
    {
        string data = folder.File("STS-B"), adapter = folder.File("sts-b"), submission = folder.File("submission");
        Directory.CreateDirectory(data);
        string rows = "index\tsentence1\tsentence2\tscore\n" + string.Concat(Enumerable.Range(0, 8).Select(i => $"{i}\ta text {i}\ta text {i % 3}\t{i % 6}\n"));
        foreach (string split in (string[])["train", "dev"]) File.WriteAllText(Path.Combine(data, split + ".tsv"), rows);
        File.WriteAllText(Path.Combine(data, "test.tsv"), "index\tsentence1\tsentence2\n0\tone\ttwo\n1\tthree\tfour\n");
        TinyGlue.Finetune(folder, "STS-B", data, adapter, "--epochs", "1").Done();
        Directory.CreateDirectory(submission);
        File.WriteAllText(Path.Combine(submission, "CoLA.tsv"), "kept");
        File.WriteAllText(Path.Combine(submission, "STS-B.tsv"), "replaced");
        Lora2.Run("predict", "--adapter", adapter, "--task", "STS-B", "--data", data, "--submission", submission).Done();
        JsonElement[] answers = Lora2.RunWith("{\"text\": \"one\", \"text_pair\": \"two\"}\n{\"text\": \"three\", \"text_pair\": \"four\"}\n", "predict", "--adapter", adapter, "--json-lines").Done().JsonLines;
        string[] expected = ["index\tprediction", .. answers.Select((answer, i) => string.Create(CultureInfo.InvariantCulture, $"{i}\t{Math.Clamp(answer.GetProperty("score").GetDouble(), 0, 5):F3}"))];
        Assert.Equal(expected, File.ReadAllLines(Path.Combine(submission, "STS-B.tsv")));
        Assert.Equal("kept", File.ReadAllText(Path.Combine(submission, "CoLA.tsv")));
    }

    [Fact]
    public void NothingIsWrittenWhenATestSetIsMissingOrTheModelIsForSomethingElse()
    {
        (string glue, string adapter, string submission) = (TinyGlue.WriteMnli(folder), folder.File("mnli"), folder.File("submission"));
        TinyGlue.Finetune(folder, "MNLI", glue, adapter, "--max-steps", "1").Done();
        string missing = Path.Combine(glue, "MNLI", "test_mismatched.tsv");
        File.Delete(missing);
        Assert.Contains($"{missing}), expected the test_mismatched split of MNLI", Lora2.Run("predict", "--adapter", adapter, "--task", "MNLI", "--data", glue, "--submission", submission).Refused(), StringComparison.Ordinal);
        Assert.Contains("predicts one of 3 classes; RTE needs one of 2", Lora2.Run("predict", "--adapter", adapter, "--task", "RTE", "--data", glue, "--submission", submission).Refused(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(submission));

        string description = Path.Combine(adapter, "task.json");
        File.WriteAllText(description, File.ReadAllText(description).Replace("entailment", "x", StringComparison.Ordinal));
        string refusal = Lora2.Run("evaluate", "--adapter", adapter, "--task", "MNLI", "--data", glue).Refused();
        Assert.Contains("the model's classes are x, neutral, contradiction; MNLI needs entailment, neutral, contradiction", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void AModelWithTheTasksClassesInAnotherOrderIsAskedByName()
    {
        (string glue, string adapter, string submission) = (TinyGlue.WriteMnli(folder), folder.File("mnli"), folder.File("submission"));
        TinyGlue.Finetune(folder, "MNLI", glue, adapter, "--max-steps", "1").Done();
        string[] Submitted()
        {
            Lora2.Run("predict", "--adapter", adapter, "--task", "MNLI", "--data", glue, "--submission", submission).Done();
            return File.ReadAllLines(Path.Combine(submission, "MNLI-m.tsv"));
        }

        string[] before = Submitted();
        string description = Path.Combine(adapter, "task.json");
        string Swapped(string text) => text.Replace("entailment", "x", StringComparison.Ordinal).Replace("contradiction", "entailment", StringComparison.Ordinal).Replace("x", "contradiction", StringComparison.Ordinal);
        File.WriteAllText(description, File.ReadAllText(description).Replace("entailment", "x", StringComparison.Ordinal).Replace("contradiction", "ENTAILMENT", StringComparison.Ordinal).Replace("\"x\"", "\"CONTRADICTION\"", StringComparison.Ordinal));
        Lora2.Run("evaluate", "--adapter", adapter, "--task", "MNLI", "--data", glue).Done();
        Assert.Equal(before.Skip(1).Select(Swapped), Submitted().Skip(1));
    }
}
