using LoRA2.Native.Cli.Tests;
using LoRA2.Native.Tests.Shared;
namespace LoRA2.Native.Cli.Tests;

/// <summary>GLUE folders of a few made-up rows, and a model fine-tuned on them for a step.</summary>
internal static class TinyGlue
{
    /// <summary>The texts of MNLI's test sets, with the indices they are known by: matched first.</summary>
    public static (int Index, string Premise, string Hypothesis)[][] MnliTests { get; } =
    [
        [(0, "A man sleeps.", "Nobody is awake."), (1, "It rains.", "The street is wet.")],
        [(9847, "Two dogs run.", "Animals move."), (9796, "She reads a book.", "She cannot read."), (9800, "He left.", "He is here.")],
    ];

    /// <summary>All of MNLI's splits; the development sets are of 6 and 4 rows, of which 1 and 0 have no gold label.</summary>
    public static string WriteMnli(TemporaryFolder folder)
    {
        string glue = folder.File("glue");
        Directory.CreateDirectory(Path.Combine(glue, "MNLI"));
        string[] labels = ["entailment", "neutral", "contradiction"];
        string Labelled(int rows, int shift) => string.Concat(Enumerable.Range(0, rows).Select(i => $"{i}\tpremise {i}\thypothesis {i + shift}\tx\t{labels[(i + shift) % 3]}\n"));
        void Write(string name, string columns, string rows) => File.WriteAllText(Path.Combine(glue, "MNLI", name), columns + rows);
        const string gold = "index\tsentence1\tsentence2\tlabel1\tgold_label\n";
        Write("train.tsv", gold, Labelled(12, 0));
        Write("dev_matched.tsv", gold, Labelled(5, 1) + "5\ta\tb\tx\t-\n");
        Write("dev_mismatched.tsv", gold, Labelled(4, 2));
        foreach ((int i, (int, string, string)[] rows) in MnliTests.Index())
            Write(i == 0 ? "test_matched.tsv" : "test_mismatched.tsv", "index\tsentence1\tsentence2\n", string.Concat(rows.Select(row => $"{row.Item1}\t{row.Item2}\t{row.Item3}\n")));
        return glue;
    }

    /// <summary>Fine-tunes on a task for a few steps; what is given in <paramref name="more"/> is added.</summary>
    public static CommandResult Finetune(TemporaryFolder folder, string task, string data, string output, params string[] more)
    {
        string model = folder.File("model");
        if (!Directory.Exists(model)) TinyModel.Write(folder);
        return Lora2.Run(["finetune", "--model", model, "--task", task, "--data", data, "--output", output, "--batch-size", "4", "--learning-rate", "0.01", .. more]);
    }
}
