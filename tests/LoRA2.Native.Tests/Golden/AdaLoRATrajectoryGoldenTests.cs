using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Training;
using Xunit.Abstractions;

namespace LoRA2.Native.Tests.Golden;

/// <summary>PEFT's AdaLoRA run: losses, budget, thresholds, patterns, scores and parameters of every step, and what it saves at the end.</summary>
public sealed partial class AdaLoRATrajectoryGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [GoldenFamilies(GoldenKind.AdaLoRA)]
    public void RunAgrees(string family)
    {
        var closeness = new Closeness(output, family);
        using var all = new TensorScope();
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(GoldenTraces.At(family, "trajectory.json")));
        JsonElement run = document.RootElement;
        using var snapshots = new TraceFile(GoldenTraces.At(family, "params.safetensors"));
        using AdaptedModel adapted = AdaptedModel.WithAdaLoRA(family, run, snapshots);
        using var batches = new GoldenBatches(family);
        (double beta1, double beta2, double gamma) = Settings(family);
        using var allocator = new RankAllocator(adapted.AdaLoRAAdapters, Budget(run), beta1, beta2);
        using var descent = new Descent(run.GetProperty("optimizer").GetString()!, adapted);

        int step = 0;
        int compared = 0;
        foreach (JsonElement expected in run.GetProperty("steps").EnumerateArray())
        {
            using var scope = new TensorScope();
            Backward(closeness, expected, adapted, batches.Of(step), gamma);
            descent.Step();
            allocator.AfterStep(step);
            CompareMoments(closeness, family, allocator, step);
            descent.ClearGradients();

            Assert.Equal(expected.GetProperty("budget").GetInt32(), allocator.Budget);
            Assert.Equal(expected.GetProperty("updates_ipt").GetBoolean(), allocator.Schedule.Scores(step));
            CompareChoice(closeness, expected, allocator);
            foreach (Parameter parameter in adapted.Trained.Values)
            {
                string name = $"step{step}/{GradientName.Of(parameter.Name, new AdaLoRAMethod(), adapted.Model.Head)}";
                if (!snapshots.Has(name)) continue;
                closeness.Trained(name, snapshots.Floats(name), parameter.Value, 2 * descent.Rate * (step + 1));
                compared++;
            }

            step++;
        }

        Assert.Equal(run.GetProperty("total_step").GetInt32(), step);
        Assert.Equal(snapshots.Names.Count(name => name.StartsWith("step", StringComparison.Ordinal)), compared);
        Assert.Equal(run.GetProperty("target_bgt").GetInt32(), adapted.AdaLoRAAdapters.Sum(adapter => adapter.EffectiveRank));
        Tensor logits = adapted.Model.Forward(batches.Of(0).Batch, ForwardContext.Inference);
        closeness.Absolute("final logits", "final/logits_batch0", snapshots.Floats("final/logits_batch0"), logits.ToArray<float>(), Tolerance.TrainedLogits);
        CompareSaved(closeness, family, adapted);
        closeness.Report();
    }

    [Theory]
    [GoldenFamilies(GoldenKind.AdaLoRA, "saved/adapter_config.json", "saved/adapter_model.safetensors")]
    public void WhatPeftSavedGivesItsLogits(string family)
    {
        var closeness = new Closeness(output, family);
        using var scope = new TensorScope();
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(GoldenTraces.At(family, "trajectory.json")));
        using var snapshots = new TraceFile(GoldenTraces.At(family, "params.safetensors"));
        using SequenceClassifier model = GoldenModel.Load(GoldenTraces.BaseOf(family, document.RootElement.GetProperty("base").GetString()!));
        AdapterSettings settings = AdapterFolder.Load(model, GoldenTraces.At(family, "saved"));
        Assert.Empty(settings.UnknownFields);
        using var batches = new GoldenBatches(family);
        float[] expected = snapshots.Floats("final/logits_batch0");
        closeness.Absolute("logits", "loaded", expected, model.Forward(batches.Of(0).Batch, ForwardContext.Inference).ToArray<float>(), Tolerance.Logits);

        using var folder = new TemporaryFolder();
        AdapterFolder.Save(model, settings, "base", folder.Path);
        CompareFiles(GoldenTraces.At(family, "saved", AdapterFolder.WeightsFile), folder.File(AdapterFolder.WeightsFile), Assert.Equal);
        using (MergedAdapters merged = model.Merge())
            closeness.Absolute("merged logits", "merged", expected, model.Forward(batches.Of(0).Batch, ForwardContext.Inference).ToArray<float>(), Tolerance.Logits);
        closeness.Report();
    }

    private static void Backward(Closeness closeness, JsonElement expected, AdaptedModel adapted, (EncoderBatch Batch, Tensor Labels) input, double gamma)
    {
        using var tape = new Tape();
        var method = new AdaLoRAMethod();
        Tensor task = adapted.Model.Loss(adapted.Model.Forward(input.Batch, ForwardContext.Inference), input.Labels);
        Tensor regulariser = method.Regulariser([.. adapted.AdaLoRAAdapters])!;
        Tensor total = Ops.Add(task, Ops.Scale(regulariser, gamma));
        foreach ((string name, Tensor found) in ((string, Tensor)[])[("loss", total), ("task_loss", task), ("orth_reg", regulariser)])
            closeness.Number("losses", $"step {expected.GetProperty("step")} {name}", expected.GetProperty(name).GetDouble(), found.Item(), Tolerance.TrainingLoss);
        tape.Backward(total);
    }

    /// <summary>The scores, their threshold, and exactly the singular values that stay; the others are exactly 0.</summary>
    private static void CompareChoice(Closeness closeness, JsonElement expected, RankAllocator allocator)
    {
        if (expected.TryGetProperty("scores", out JsonElement scores))
        {
            double largest = scores.EnumerateObject().SelectMany(module => module.Value.EnumerateArray()).Max(score => score.GetDouble());
            double[][] found = [.. Enumerable.Range(0, allocator.Adapters.Count).Select(allocator.Importance)];
            for (int i = 0; i < found.Length; i++)
            {
                int place = 0;
                foreach (JsonElement score in scores.GetProperty($"{allocator.Adapters[i].Module}.lora_E.default").EnumerateArray())
                    closeness.Ratio("scores", $"step {expected.GetProperty("step")} {allocator.Adapters[i].Module}[{place}]", score.GetDouble(), found[i][place++], Tolerance.Importance, largest * Tolerance.NegligibleImportance);
            }

            double[] order = [.. found.SelectMany(score => score).Order()];
            int dropped = expected.GetProperty("k").GetInt32();
            Assert.Equal(order.Length - allocator.Budget, dropped);
            foreach ((string name, double threshold) in ((string, double)[])[("threshold", order[dropped - 1]), ("next_above", order[dropped])])
                closeness.Ratio("thresholds", $"step {expected.GetProperty("step")} {name}", expected.GetProperty(name).GetDouble(), threshold, Tolerance.Importance, largest * Tolerance.NegligibleImportance);
        }

        if (!expected.TryGetProperty("rank_pattern", out JsonElement pattern)) return;
        foreach ((SingularValueAdapter adapter, bool[] kept) in allocator.Adapters.Zip(allocator.Kept!))
        {
            bool[] mask = [.. pattern.GetProperty($"{adapter.Module}.lora_E.default").EnumerateArray().Select(keep => keep.GetBoolean())];
            Assert.True(mask.SequenceEqual(kept), $"step {expected.GetProperty("step")}: {adapter.Module} keeps {string.Join(' ', kept)}; {string.Join(' ', mask)} was expected");
            Assert.All(adapter.SingularValues.ToArray<float>().Zip(mask), value => Assert.True(value.Second || value.First == 0));
        }
    }

    /// <summary>Ī and Ū of every element, where the trace has them.</summary>
    private static void CompareMoments(Closeness closeness, string family, RankAllocator allocator, int step)
    {
        string path = GoldenTraces.At(family, "importance.safetensors");
        if (!File.Exists(path)) return;
        using var trace = new TraceFile(path);
        foreach ((string name, Tensor values) in allocator.State)
        {
            bool mean = name.EndsWith(".mean", StringComparison.Ordinal);
            string found = $"step{step}/{(mean ? "exp_avg_ipt" : "exp_avg_unc")}/{name[..name.LastIndexOf('.')]}.default";
            if (trace.Has(found)) closeness.Relative("importance averages", found, trace.Floats(found), values.ToArray<float>(), Tolerance.Importance);
        }
    }

    private static void CompareSaved(Closeness closeness, string family, AdaptedModel adapted)
    {
        string saved = GoldenTraces.At(family, "saved");
        using var folder = new TemporaryFolder();
        AdapterSettings settings = AdapterFolder.SettingsIn(saved);
        AdapterFolder.Save(adapted.Model, settings, "base", folder.Path);
        CompareFiles(Path.Combine(saved, AdapterFolder.WeightsFile), folder.File(AdapterFolder.WeightsFile), (expected, found) =>
            closeness.Absolute("saved weights", "saved", expected, found, Tolerance.TrainedWeights * 10));
        using JsonDocument expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(saved, AdapterFolder.ConfigFile)));
        using JsonDocument found = JsonDocument.Parse(File.ReadAllBytes(folder.File(AdapterFolder.ConfigFile)));
        foreach (string field in (string[])["init_r", "lora_alpha", "orth_reg_weight", "peft_type", "task_type", "target_r"])
            Assert.Equal(expected.RootElement.GetProperty(field).GetRawText(), found.RootElement.GetProperty(field).GetRawText());
        Dictionary<string, string> Pattern(JsonDocument config) => config.RootElement.GetProperty("rank_pattern").EnumerateObject()
            .ToDictionary(module => module.Name, module => string.Join(' ', module.Value.EnumerateArray().Select(kept => kept.GetBoolean())));
        Assert.Equal(Pattern(expected), Pattern(found));
    }

    private static void CompareFiles(string expectedPath, string foundPath, Action<float[], float[]> compare)
    {
        using var expected = new TraceFile(expectedPath);
        using var found = new TraceFile(foundPath);
        Assert.Equal(expected.Names.Order(StringComparer.Ordinal), found.Names.Order(StringComparer.Ordinal));
        foreach (string name in expected.Names)
        {
            Assert.Equal(expected.Shape(name), found.Shape(name));
            compare(expected.Floats(name), found.Floats(name));
        }
    }

    private static (double Beta1, double Beta2, double Gamma) Settings(string family)
    {
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(GoldenTraces.At(family, "saved", AdapterFolder.ConfigFile)));
        double Number(string name) => config.RootElement.GetProperty(name).GetDouble();
        return (Number("beta1"), Number("beta2"), Number("orth_reg_weight"));
    }

    private static BudgetSchedule Budget(JsonElement run)
    {
        int Number(string name) => run.GetProperty(name).GetInt32();
        return new BudgetSchedule(Number("init_bgt"), Number("target_bgt"), Number("tinit"), Number("tfinal"), Number("total_step"), Number("deltaT"));
    }

    /// <summary>The optimiser that a trace names: PyTorch's AdamW or plain gradient descent, over all trained parameters.</summary>
    private sealed partial class Descent : IDisposable
    {
        private readonly AdaptedModel adapted;
        private readonly AdamWOptimizer? adamw;

        public Descent(string description, AdaptedModel adapted)
        {
            this.adapted = adapted;
            double Number(string name) => double.Parse(Regex.Match(description, $@"\b{name}: ([-+.\de]+)").Groups[1].Value, CultureInfo.InvariantCulture);
            Rate = Number("lr");
            if (!description.StartsWith("AdamW", StringComparison.Ordinal)) return;
            Match betas = Betas().Match(description);
            double Beta(int group) => double.Parse(betas.Groups[group].Value, CultureInfo.InvariantCulture);
            adamw = new AdamWOptimizer([new([.. adapted.Trained.Values], Number("weight_decay"))], Beta(1), Beta(2), Number("eps"));
        }

        public double Rate { get; }

        public void Step()
        {
            adamw?.Step(Rate);
            if (adamw is not null) return;
            foreach (Tensor value in adapted.Trained.Values.Select(parameter => parameter.Value))
            {
                if (value.Grad is { } gradient) value.CopyFrom(Ops.Subtract(value, Ops.Scale(gradient, Rate)));
            }
        }

        public void ClearGradients()
        {
            foreach (Parameter parameter in adapted.Trained.Values) parameter.Value.ClearGrad();
        }

        public void Dispose() => adamw?.Dispose();

        [GeneratedRegex(@"betas: \(([.\d]+), ([.\d]+)\)")]
        private static partial Regex Betas();
    }
}
