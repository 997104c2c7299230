using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Training;
using Xunit.Abstractions;

namespace LoRA2.Native.Tests.Golden;

/// <summary>A LoRA2 run with pruning: losses, budget, masks, importances, parameters along the way, and the final logits.</summary>
public sealed partial class LoRA2TrajectoryGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [GoldenFamilies(GoldenKind.LoRA2, "batches.safetensors", "params.safetensors")]
    public void RunAgrees(string family)
    {
        var closeness = new Closeness(output, family);
        using JsonDocument document = LoRA2GoldenTests.Trajectory(family);
        JsonElement run = document.RootElement;
        using AdaptedModel adapted = AdaptedModel.WithLoRA2(family, run);
        using var batches = new GoldenBatches(family);
        using var snapshots = new TraceFile(GoldenTraces.At(family, "params.safetensors"));
        (double rate, AdamWOptimizer made) = Optimizer(run, adapted);
        using AdamWOptimizer optimizer = made;
        BudgetSchedule budget = Budget(run, adapted);
        (double beta1, double beta2) = (run.GetProperty("beta1").GetDouble(), run.GetProperty("beta2").GetDouble());
        using var allocator = new RankAllocator(adapted.LoRA2Adapters, budget, beta1, beta2);
        ImportanceScorer[] full = [.. allocator.Adapters.Cast<LoRA2Adapter>().Select(adapter => new ImportanceScorer(adapter.Factors, ImportanceMode.Full, beta1, beta2))];
        double gamma = run.GetProperty("gamma").GetDouble();
        OrthogonalityKind kind = OrthogonalityKinds.Parse(run.GetProperty("regulariser").GetString()!);

        int step = 0;
        int compared = 0;
        foreach (JsonElement expected in run.GetProperty("steps").EnumerateArray())
        {
            Assert.Equal(step, expected.GetProperty("step").GetInt32());
            using var scope = new TensorScope();
            Backward(closeness, expected, adapted, batches.Of(step), gamma, kind);
            optimizer.Step(rate, 0, [.. allocator.ScoredAt(step), .. budget.Scores(step) ? full : []]);
            allocator.Prune(step);
            optimizer.ClearGradients();

            Assert.Equal(expected.GetProperty("budget").GetInt32(), allocator.Budget);
            Assert.Equal(expected.GetProperty("masked").GetBoolean(), budget.Masks(step));
            CompareMask(expected, allocator);
            CompareImportances(closeness, expected, "importance_reduced", allocator, adapter => allocator.Importance(adapter));
            CompareImportances(closeness, expected, "importance_full", allocator, adapter => full[adapter].Scores());
            foreach ((string name, Parameter parameter) in adapted.Trained.Where(entry => snapshots.Has($"step{step}/{entry.Key}")))
            {
                closeness.Trained($"step{step}/{name}", snapshots.Floats($"step{step}/{name}"), parameter.Value, 2 * rate * (step + 1));
                compared++;
            }

            step++;
        }

        Assert.Equal(run.GetProperty("total_step").GetInt32(), step);
        Assert.Equal(snapshots.Names.Count(name => name.StartsWith("step", StringComparison.Ordinal)), compared);
        Assert.Equal(budget.Target, adapted.LoRA2Adapters.Sum(adapter => adapter.EffectiveRank));
        using (new TensorScope())
        {
            Tensor logits = adapted.Model.Forward(batches.Of(0).Batch, ForwardContext.Inference);
            closeness.Absolute("final logits", "final/logits_batch0", snapshots.Floats("final/logits_batch0"), logits.ToArray<float>(), Tolerance.TrainedLogits);
        }

        foreach (ImportanceScorer scorer in full) scorer.Dispose();
        closeness.Report();
    }

    private static void Backward(
        Closeness closeness, JsonElement expected, AdaptedModel adapted, (EncoderBatch Batch, Tensor Labels) input, double gamma, OrthogonalityKind kind)
    {
        using var tape = new Tape();
        (Tensor total, Tensor task, Tensor regulariser) = adapted.Loss(input.Batch, input.Labels, gamma, kind);
        foreach ((string name, Tensor found) in ((string, Tensor)[])[("loss", total), ("task_loss", task), ("reg", regulariser)])
            closeness.Number("losses", $"step {expected.GetProperty("step")} {name}", expected.GetProperty(name).GetDouble(), found.Item(), Tolerance.TrainingLoss);
        tape.Backward(total);
    }

    /// <summary>Exactly the same singular values are kept, and the others are exactly 0.</summary>
    private static void CompareMask(JsonElement expected, RankAllocator allocator)
    {
        if (!expected.TryGetProperty("kept", out JsonElement kept)) return;
        Assert.Equal(kept.EnumerateObject().Count(), allocator.Adapters.Count);
        foreach ((SingularValueAdapter adapter, bool[] found) in allocator.Adapters.Zip(allocator.Kept!))
        {
            bool[] mask = [.. kept.GetProperty(adapter.Module).EnumerateArray().Select(keep => keep.GetBoolean())];
            Assert.True(mask.SequenceEqual(found), $"step {expected.GetProperty("step")}: {adapter.Module} keeps {string.Join(' ', found)}; {string.Join(' ', mask)} was expected");
            Assert.All(adapter.SingularValues.ToArray<float>().Zip(mask), value => Assert.True(value.Second || value.First == 0));
        }
    }

    private static void CompareImportances(Closeness closeness, JsonElement expected, string field, RankAllocator allocator, Func<int, double[]> scores)
    {
        if (!expected.TryGetProperty(field, out JsonElement importances)) return;
        double largest = importances.EnumerateObject().SelectMany(module => module.Value.EnumerateArray()).Max(score => score.GetDouble());
        for (int i = 0; i < allocator.Adapters.Count; i++)
        {
            string module = allocator.Adapters[i].Module;
            double[] found = scores(i);
            int value = 0;
            foreach (JsonElement score in importances.GetProperty(module).EnumerateArray())
                closeness.Ratio(field, $"step {expected.GetProperty("step")} {module}[{value}]", score.GetDouble(), found[value++], Tolerance.Importance, largest * Tolerance.NegligibleImportance);
            Assert.Equal(found.Length, value);
        }
    }

    private static BudgetSchedule Budget(JsonElement run, AdaptedModel adapted)
    {
        int matrices = adapted.LoRA2Adapters.Count();
        int Number(string name) => run.GetProperty(name).GetInt32();
        return new BudgetSchedule(Number("r") * matrices, Number("target") * matrices, Number("tinit"), Number("tfinal"), Number("total_step"), Number("deltaT"));
    }

    /// <summary>One group with weight decay on all, at a constant rate; the trace gives the numbers in a sentence.</summary>
    private static (double Rate, AdamWOptimizer Optimizer) Optimizer(JsonElement run, AdaptedModel adapted)
    {
        string sentence = run.GetProperty("optimizer").GetString()!;
        Match match = Sentence().Match(sentence);
        Assert.True(match.Success, sentence);
        double Number(int group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
        return (Number(1), new AdamWOptimizer([new([.. adapted.Trained.Values], Number(2))], Number(3), Number(4), Number(5)));
    }

    [GeneratedRegex(@"^AdamW lr (\S+) weight_decay (\S+) betas (\S+) (\S+) eps (\S+), constant rate, no clipping$")]
    private static partial Regex Sentence();
}
