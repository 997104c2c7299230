using System.Runtime.InteropServices;
using System.Text.Json;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Optimizers;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tensors.Tests.Optimizers;

/// <summary>Thirty steps of every optimizer, and sixty of every schedule, are PyTorch's.</summary>
public sealed class TrajectoryGoldenTests
{
    private const double Tolerance = 1e-10;

    [GoldenFact("optim")]
    public void EveryTrajectoryIsPyTorchs()
    {
        using JsonDocument index = JsonDocument.Parse(File.ReadAllBytes(GoldenFolder.At("optim", "index.json")));
        using SafetensorsFile file = SafetensorsFile.Open(GoldenFolder.At("optim", "trajectories.safetensors"));
        var wrong = new List<string>();
        int runs = 0;
        foreach (JsonProperty run in index.RootElement.GetProperty("runs").EnumerateObject())
        {
            runs++;
            if (Difference(run, file) is { } difference) wrong.Add($"{run.Name}: {difference}");
        }

        Assert.True(runs > 0);
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }

    [GoldenFact("optim")]
    public void EveryScheduleIsPyTorchsOrHuggingFaces()
    {
        using JsonDocument schedules = JsonDocument.Parse(File.ReadAllBytes(GoldenFolder.At("optim", "schedules.json")));
        foreach (JsonProperty schedule in schedules.RootElement.EnumerateObject())
        {
            Func<int, double> rate = Schedules.From(schedule.Value);
            double[] expected = [.. schedule.Value.GetProperty("rates").EnumerateArray().Select(value => value.GetDouble())];
            for (int t = 0; t < expected.Length; t++) Assert.True(Math.Abs(rate(t) - expected[t]) <= 1e-12, $"{schedule.Name}, step {t}: {rate(t):R}; {expected[t]:R} was expected");
        }
    }

    private static string? Difference(JsonProperty run, SafetensorsFile file)
    {
        Parameter[] parameters = [.. ((string[])["weight", "bias"]).Select(name => Trained(name, Read(file, $"start.{name}")))];
        using Optimizer optimizer = Optimizers.From(run.Value, parameters);
        (double[] Values, int[] Shape)[] gradients = [.. parameters.Select(parameter => Read(file, $"grads.{parameter.Name}"))];
        int steps = gradients[0].Shape[0];
        for (int t = 0; t < steps; t++)
        {
            for (int i = 0; i < parameters.Length; i++)
            {
                int count = parameters[i].Count;
                Tensor value = parameters[i].Value;
                value.Grad = Tensor.From(gradients[i].Values.AsSpan(t * count, count), value.Shape);
            }

            if (Clip(run.Value, parameters) is { } norm && Math.Abs(norm - Read(file, $"{run.Name}.norms").Values[t]) > Tolerance) return $"the norm of step {t} is {norm:R}";
            optimizer.Step();
            foreach (Parameter parameter in parameters)
            {
                double[] expected = Read(file, $"{run.Name}.{parameter.Name}").Values;
                double[] actual = parameter.Value.ToArray<double>();
                for (int e = 0; e < actual.Length; e++)
                {
                    double wanted = expected[(t * actual.Length) + e];
                    if (Math.Abs(actual[e] - wanted) > Tolerance * Math.Max(1, Math.Abs(wanted))) return $"{parameter.Name} after step {t} at element {e} is {actual[e]:R}; {wanted:R} was expected";
                }
            }
        }

        return StateDifference(run.Name, file, optimizer);
    }

    private static string? StateDifference(string run, SafetensorsFile file, Optimizer optimizer)
    {
        foreach (Parameter parameter in optimizer.Parameters)
        {
            foreach ((string field, Tensor tensor) in optimizer.StateOf(parameter))
            {
                if (!file.TryGetEntry($"{run}.state.{parameter.Name}.{field}", out _)) continue;
                double[] expected = Read(file, $"{run}.state.{parameter.Name}.{field}").Values, actual = tensor.To(DType.Float64).ToArray<double>();
                for (int e = 0; e < actual.Length; e++)
                {
                    if (Math.Abs(actual[e] - expected[e]) > Tolerance * Math.Max(1, Math.Abs(expected[e]))) return $"{parameter.Name}'s {field} at element {e} is {actual[e]:R}; {expected[e]:R} was expected";
                }
            }
        }

        return null;
    }

    private static double? Clip(JsonElement run, Parameter[] parameters)
    {
        if (!run.TryGetProperty("clip", out JsonElement clip)) return null;
        if (clip[0].GetString() == "value")
        {
            GradientClipping.ClipValue(parameters, clip[1].GetDouble());
            return null;
        }

        return GradientClipping.ClipNorm(parameters, clip[1].GetDouble(), clip[2].ValueKind == JsonValueKind.String ? double.PositiveInfinity : clip[2].GetDouble());
    }

    private static Parameter Trained(string name, (double[] Values, int[] Shape) start)
    {
        Tensor value = Tensor.From(start.Values, new Shape(start.Shape));
        value.RequiresGrad = true;
        return new Parameter(name, value);
    }

    private static (double[] Values, int[] Shape) Read(SafetensorsFile file, string name)
    {
        SafetensorsEntry entry = file.GetEntry(name);
        return (MemoryMarshal.Cast<byte, double>(file.GetBytes(entry).ToArray().AsSpan()).ToArray(), [.. entry.Shape.ToArray().Select(extent => (int)extent)]);
    }
}
