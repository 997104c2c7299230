using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Training;
using Xunit.Abstractions;

namespace LoRA2.Native.Tests.Golden;

/// <summary>Full fine-tuning against PyTorch's AdamW: losses, rates and gradient norms of every step, and the final weights.</summary>
public sealed class TrainingGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [GoldenFamilies(GoldenKind.Training, "final.safetensors")]
    public void RunAgrees(string family)
    {
        var closeness = new Closeness(output, family);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(GoldenTraces.At(family, "trajectory.json")));
        JsonElement run = document.RootElement;
        using SequenceClassifier model = GoldenModel.Load(GoldenTraces.BaseOf(family, run.GetProperty("base").GetString()!));
        model.TrainAll();
        using var batches = new GoldenBatches(family);
        using AdamWOptimizer optimizer = Optimizer(run, model);
        var schedule = new LearningRateSchedule(run.GetProperty("lr").GetDouble(), run.GetProperty("warmup").GetInt32(), run.GetProperty("total").GetInt32());
        JsonElement limit = run.GetProperty("clip_grad_norm");
        var noise = model.BaseParameters.Select(parameter => parameter.Name).ToHashSet();
        double rates = 0;

        int count = 0;
        foreach (JsonElement expected in run.GetProperty("steps").EnumerateArray())
        {
            int step = expected.GetProperty("step").GetInt32();
            Assert.Equal(count++, step);
            using var scope = new TensorScope();
            (EncoderBatch batch, Tensor labels) = batches.Of(step);
            using (var tape = new Tape())
            {
                Tensor loss = model.Loss(model.Forward(batch, ForwardContext.Inference), labels);
                closeness.Number("losses", $"step {step} loss", expected.GetProperty("loss").GetDouble(), loss.Item(), Tolerance.TrainingLoss);
                tape.Backward(loss);
            }

            double norm = optimizer.GradientNorm();
            closeness.Number("gradient norms", $"step {step} grad_norm", expected.GetProperty("grad_norm").GetDouble(), norm, Tolerance.TrainingLoss);
            double rate = schedule.At(step);
            closeness.Number("rates", $"step {step} lr", expected.GetProperty("lr").GetDouble(), rate, 1e-12);
            noise.RemoveWhere(name => !IsNoise(model.BaseParameters.First(parameter => parameter.Name == name).Value.Grad));
            optimizer.Step(rate, limit.ValueKind == JsonValueKind.Number ? limit.GetDouble() : 0);
            optimizer.ClearGradients();
            rates += rate;
        }

        Assert.NotEqual(0, count);
        using var final = new TraceFile(GoldenTraces.At(family, "final.safetensors"));
        Assert.Equal(final.Names.Order(StringComparer.Ordinal), model.BaseParameters.Select(parameter => parameter.Name).Order(StringComparer.Ordinal));
        foreach (Parameter parameter in model.BaseParameters)
        {
            float[] expected = final.Floats(parameter.Name);
            // BERT's and RoBERTa's key.bias: every element strays, see Tolerance.GradientNoise.
            if (noise.Contains(parameter.Name)) closeness.Absolute("weights without a gradient", parameter.Name, expected, parameter.Value.ToArray<float>(), 2 * rates);
            else closeness.Trained(parameter.Name, expected, parameter.Value, 2 * rates);
        }

        closeness.Report();
    }

    private static AdamWOptimizer Optimizer(JsonElement run, SequenceClassifier model)
    {
        HashSet<string> decayed = [.. run.GetProperty("decayed").EnumerateArray().Select(name => name.GetString()!)];
        Assert.Subset(model.BaseParameters.Select(parameter => parameter.Name).ToHashSet(), decayed);
        ILookup<bool, Parameter> groups = model.BaseParameters.ToLookup(parameter => decayed.Contains(parameter.Name));
        JsonElement betas = run.GetProperty("betas");
        return new AdamWOptimizer(
            [new([.. groups[true]], run.GetProperty("weight_decay").GetDouble()), new([.. groups[false]], 0)],
            betas[0].GetDouble(), betas[1].GetDouble(), run.GetProperty("eps").GetDouble());
    }

    private static bool IsNoise(Tensor? gradient) => gradient is null || gradient.ToArray<float>().Max(Math.Abs) < Tolerance.GradientNoise;
}
