using System.Text.Json.Nodes;
using LoRA2.Native.Cli.Tests.Comparison;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests.Comparison;

/// <summary>A comparison of two methods on two small GLUE-like tasks, in a folder of its own.</summary>
internal sealed class TinyComparison : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public TinyComparison()
    {
        TinyModel.Write(folder);
        WriteTask("SST-2", "sentence\tlabel", i => $"{Sentence(i)}\t{i % 2}");
        WriteTask("RTE", "index\tsentence1\tsentence2\tlabel", i => $"{i}\t{Sentence(i)}\t{Sentence(i + 1)}\t{(i % 3 == 0 ? "entailment" : "not_entailment")}");
    }

    /// <summary>The comparison's fields; a test may change them before it runs.</summary>
    public JsonObject Plan { get; } = new()
    {
        ["model"] = "model",
        ["data"] = "glue",
        ["tasks"] = new JsonArray("SST-2", "RTE"),
        ["seeds"] = new JsonArray(1, 2),
        ["options"] = new JsonObject { ["batch-size"] = 4, ["epochs"] = 1, ["threads"] = 1 },
        ["methods"] = new JsonArray(
            new JsonObject { ["name"] = "LoRA2 k=1", ["options"] = new JsonObject { ["method"] = "lora2", ["outer-rank"] = 1, ["rank"] = 4 } },
            new JsonObject { ["name"] = "LoRA r=1", ["options"] = new JsonObject { ["method"] = "lora", ["rank"] = 1 } }),
    };

    public string Folder => folder.Path;

    public string Output => folder.File("out");

    /// <summary>Writes the plan and returns the arguments that run it.</summary>
    public string[] Arguments(params string[] more) => [.. ArgumentsOf(Plan.ToJsonString()), .. more];

    public string[] ArgumentsOf(string json) => ["compare", folder.Write("plan.json", json), "--output", Output];

    public string File(string name) => Path.Combine(Output, name);

    public string Read(string name) => System.IO.File.ReadAllText(File(name));

    /// <summary>A file of a run.</summary>
    public string Cell(string method, string task, int seed, string name = "training.json") => File(Path.Combine("cells", method, task, $"seed-{seed}", name));

    public void Dispose() => folder.Dispose();

    private static string Sentence(int i) => $"The parcel number {i} {(i % 2 == 0 ? "arrived in time" : "never came")}.";

    private void WriteTask(string name, string header, Func<int, string> row)
    {
        Directory.CreateDirectory(folder.File(Path.Combine("glue", name)));
        foreach ((string split, int rows) in ((string, int)[])[("train", 16), ("dev", 9)])
            folder.Write(Path.Combine("glue", name, $"{split}.tsv"), $"{header}\n{string.Concat(Enumerable.Range(0, rows).Select(i => row(i) + "\n"))}");
    }
}
