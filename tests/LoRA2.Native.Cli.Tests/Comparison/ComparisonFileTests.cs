using System.Text.Json.Nodes;
using LoRA2.Native.Cli.Comparison;
using LoRA2.Native.Cli.Tests.Comparison;
using LoRA2.Native.Experiments.Comparison;

namespace LoRA2.Native.Cli.Tests.Comparison;

public sealed class ComparisonFileTests : IDisposable
{
    private readonly TinyComparison tiny = new();

    public void Dispose() => tiny.Dispose();

    [Fact]
    public void TheCellsAreMethodsByTasksBySeedsWithTheMostParticularOptions()
    {
        tiny.Plan["options"] = new JsonObject { ["epochs"] = 1, ["rank"] = 2, ["learning-rate"] = JsonNode.Parse("1e-3"), ["clip"] = 3 };
        tiny.Plan["task-options"] = new JsonObject { ["RTE"] = new JsonObject { ["epochs"] = 2, ["rank"] = 3, ["clip"] = null } };
        tiny.Plan["methods"] = new JsonArray(
            new JsonObject
            {
                ["name"] = "one",
                ["options"] = new JsonObject { ["method"] = "lora", ["rank"] = 4, ["targets"] = new JsonArray("query", "key"), ["recompute"] = true },
                ["task-options"] = new JsonObject { ["rte"] = new JsonObject { ["rank"] = 5, ["recompute"] = false } },
            },
            new JsonObject { ["name"] = "two/2", ["options"] = new JsonObject { ["method"] = "lora" } });
        var runner = new FinetuneProcesses();
        ComparisonPlan plan = ComparisonFile.Load(tiny.Arguments()[1], runner);
        IReadOnlyList<Cell> cells = plan.Cells("out");
        Assert.Equal(
            ["one · SST-2 · seed 1", "two/2 · SST-2 · seed 1", "one · RTE · seed 1", "two/2 · RTE · seed 1", "one · SST-2 · seed 2", "two/2 · SST-2 · seed 2", "one · RTE · seed 2", "two/2 · RTE · seed 2"],
            cells.Select(cell => cell.ToString()));
        Assert.Equal("clip 3, epochs 1, learning-rate 0.001, method lora, rank 4, recompute true, targets query,key", string.Join(", ", cells[0].Options));
        Assert.Equal("clip 3, epochs 1, learning-rate 0.001, method lora, rank 2", string.Join(", ", cells[1].Options));
        Assert.Equal("epochs 2, learning-rate 0.001, method lora, rank 5, recompute false, targets query,key", string.Join(", ", cells[2].Options));
        Assert.Equal("epochs 2, learning-rate 0.001, method lora, rank 3", string.Join(", ", cells[3].Options));
        Assert.Equal(Path.Combine("out", "cells", "two-2", "RTE", "seed-2"), cells[^1].Folder);
        Assert.Equal(
            ["--model", Path.Combine(tiny.Folder, "model"), "--task", "RTE", "--data", Path.Combine(tiny.Folder, "glue"), "--seed", "1", "--output", cells[2].Folder, "--epochs=2", "--learning-rate=0.001", "--method=lora", "--rank=5", "--targets=query,key"],
            runner.Arguments(plan, cells[2]));
        Assert.Contains("--recompute", runner.Arguments(plan, cells[0]));
    }

    [Theory]
    [InlineData("learning-rate=1e-3", "0.001")]
    [InlineData("rank=8", "8")]
    [InlineData("precision=bfloat16", "bfloat16")]
    [InlineData("from=007", "007")]
    public void ANumberIsAskedForInOneForm(string given, string expected) => Assert.Equal(expected, new RunOptions(new FinetuneProcesses()).Parse(given).Value);

    [Fact]
    public void CommentsAndTrailingCommasAreAllowed()
    {
        string json = tiny.Plan.ToJsonString()[..^1] + ", // the end\n}";
        Assert.Equal(2, ComparisonFile.Load(tiny.ArgumentsOf(json)[1], new FinetuneProcesses()).Methods.Count);
    }

    [Theory]
    [InlineData("options", """{ "rnak": 1 }""", "options.rnak: 'rnak' is no option of lora2 finetune")]
    [InlineData("options", """{ "learning-rate": "fast" }""", "options.learning-rate: \"fast\" was found; a number was expected")]
    [InlineData("options", """{ "epochs": 1.5 }""", "options.epochs: option --epochs is '1.5'; a whole number of at least 1 was expected")]
    [InlineData("options", """{ "preset": 1 }""", "options.preset: 1 was found; true or false was expected")]
    [InlineData("options", """{ "method": "lora3" }""", "options.method: option --method is 'lora3'")]
    [InlineData("options", """{ "targets": [1] }""", "options.targets[0]: 1 was found; a string was expected")]
    [InlineData("options", """{ "output": "x" }""", "options.output: this option of finetune can't be given here")]
    [InlineData("options", """{ "seed": 1 }""", "options.seed: this option of finetune can't be given here")]
    [InlineData("options", """{ "epochs": 1, "epochs": 2 }""", "options.epochs: this name comes twice")]
    [InlineData("options", "[]", "options: [] was found; an object was expected")]
    [InlineData("options", """{ "gate-rate": 1 }""", "methods[0]: LoRA2 k=1 on SST-2: --gate-rate is not for --method lora2; it is for sora")]
    [InlineData("task-options", """{ "CoLLA": {} }""", "task-options.CoLLA: task 'CoLLA' is unknown")]
    [InlineData("task-options", """{ "RTE": { "task": "RTE" } }""", "task-options.RTE.task: this option")]
    [InlineData("task-options", """{ "RTE": {}, "rte": {} }""", "task-options.rte: task RTE comes twice")]
    [InlineData("tasks", """[ "SST-2", "CoLLA" ]""", "tasks[1]: task 'CoLLA' is unknown")]
    [InlineData("tasks", """[ "RTE", "rte" ]""", "tasks[1]: task RTE comes twice")]
    [InlineData("tasks", """[ "CoLA" ]""", "tasks[0]: there is no")]
    [InlineData("tasks", "[]", "tasks: [] was found; an array with something in it was expected")]
    [InlineData("seeds", "[ 1, -1 ]", "seeds[1]: -1 was found; a whole number")]
    [InlineData("seeds", "[ 1, 1 ]", "seeds[1]: seed 1 comes twice")]
    [InlineData("score", "\"worst\"", "score: \"worst\" was found; \"best\" or \"last\" was expected")]
    [InlineData("model", "\"nowhere\"", "model: there is no folder")]
    [InlineData("model", "1", "model: 1 was found; a string was expected")]
    [InlineData("data", "\"nowhere\"", "data: there is no folder")]
    [InlineData("methods", """[ { "options": {} } ]""", "methods[0]: 'name' is missing")]
    [InlineData("methods", """[ { "name": "a" }, { "name": "a" } ]""", "methods[1]: the name 'a' comes twice")]
    [InlineData("methods", """[ { "name": "a b" }, { "name": "A-b" } ]""", "methods[1]: the name 'A-b' would have the folder of 'a b', a-b")]
    [InlineData("methods", """[ { "name": "..", "options": {} } ]""", "methods[0].name: \"..\" was found; a name was expected")]
    [InlineData("methods", """[ { "name": "a", "option": {} } ]""", "methods[0].option: this field is unknown; name, options, task-options can be")]
    [InlineData("methods", """[ { "name": "a", "task-options": { "RTE": { "rank": "x" } } } ]""", "methods[0].task-options.RTE.rank: option --rank is 'x'")]
    [InlineData("metods", "1", "metods: this field is unknown")]
    public void WhatIsWrongIsSaidInOneSentenceWithItsPlace(string field, string json, string sentence)
    {
        // Not as a node: that would refuse a name that comes twice.
        tiny.Plan.Remove(field);
        string whole = $$"""{{{tiny.Plan.ToJsonString()[1..^1]}}, "{{field}}": {{json}}}""";
        string[] arguments = tiny.ArgumentsOf(whole);
        Assert.Contains($"plan.json: {sentence}", Lora2.Run(arguments).Refused(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(tiny.Output));
    }

    [Theory]
    [InlineData("model")]
    [InlineData("data")]
    [InlineData("tasks")]
    [InlineData("seeds")]
    [InlineData("methods")]
    public void AFieldThatIsMissingIsNamed(string field)
    {
        tiny.Plan.Remove(field);
        Assert.Contains($"plan.json: '{field}' is missing", Lora2.Run(tiny.Arguments()).Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsNoJSONIsRefused()
    {
        Assert.Contains("plan.json: line 2, byte 1: this is no JSON", Lora2.Run(tiny.ArgumentsOf("{\n]")).Refused(), StringComparison.Ordinal);
        Assert.Contains("'/nowhere.json' does not exist", Lora2.Run("compare", "/nowhere.json", "--output", tiny.Output).Refused(), StringComparison.Ordinal);
        Assert.Contains("--output", Lora2.Run("compare", tiny.Arguments()[1]).Refused(), StringComparison.Ordinal);
    }
}
