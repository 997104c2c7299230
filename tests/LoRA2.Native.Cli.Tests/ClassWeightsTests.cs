using System.Text.Json;
using System.Text.Json.Nodes;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

/// <summary>Weights of classes and maps of labels from the command line.</summary>
public sealed class ClassWeightsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void WeightsChangeTheRunAndAreInItsRecord()
    {
        string plain = folder.File("plain"), balanced = folder.File("balanced");
        Run(plain).Done();
        JsonElement run = Run(balanced, "--class-weights", "balanced", "--json").Done().Json;
        Assert.Equal([2.0 / 3, 2], run.GetProperty("settings").GetProperty("class_weights").EnumerateArray().Select(weight => weight.GetDouble()));
        Assert.NotEqual(TinyModel.Weights(plain), TinyModel.Weights(balanced));
        Assert.Contains("had other options", Run(balanced, "--resume").Refused(), StringComparison.Ordinal);
        Assert.Contains("finished already", Run(balanced, "--class-weights", "balanced", "--resume").Done().Output, StringComparison.Ordinal);
        Assert.Contains("--class-weights is not for --task regression", Lora2.Run("finetune", "--model", folder.File("model"), "--train", folder.File("d.csv"), "--task", "regression", "--class-weights", "balanced").Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void ClassesThatTheModelHasKeepItsOrderAndSoItsHead()
    {
        string model = TinyModel.Write(folder), config = Path.Combine(model, "config.json");
        JsonObject json = JsonNode.Parse(File.ReadAllText(config))!.AsObject();
        json["id2label"] = new JsonObject { ["0"] = "YES", ["1"] = "NO" };
        File.WriteAllText(config, json.ToJsonString());
        static IEnumerable<string?> Labels(CommandResult run) => run.Done().Json.GetProperty("data").GetProperty("labels").EnumerateArray().Select(label => label.GetString());
        Assert.Equal(["yes", "no"], Labels(Run(folder.File("one"), "--json")));
        string map = folder.Write("map.json", "{\"yes\": \"NO\", \"no\": \"YES\"}");
        string mapped = folder.File("two");
        Assert.Equal(["YES", "NO"], Labels(Run(mapped, "--json", "--label-map", map)));
        double Accuracy(params string[] more) => Lora2.Run(["evaluate", "--model", model, "--adapter", mapped, "--file", folder.File("d.csv"), "--json", .. more]).Done().Json.GetProperty("metrics").GetProperty("accuracy").GetDouble();
        Assert.Equal(1 - Accuracy(), Accuracy("--label-map", map), 1e-9);
    }

    private CommandResult Run(string output, params string[] more)
    {
        if (!Directory.Exists(folder.File("model"))) TinyModel.Write(folder);
        string data = folder.Write("d.csv", "text,label\n" + string.Concat(Enumerable.Range(0, 40).Select(i => $"row {i},{(i % 4 == 0 ? "yes" : "no")}\n")));
        return Lora2.Run(["finetune", "--model", folder.File("model"), "--train", data, "--dev", data, "--method", "lora", "--rank", "2", "--max-steps", "4", "--batch-size", "8", "--output", output, .. more]);
    }
}
