using System.Text.Json;
using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using Xunit.Abstractions;

namespace LoRA2.Native.Tests.Golden;

/// <summary>LoRA2 against an independent autograd implementation: logits, every regulariser, and the gradients under each.</summary>
public sealed class LoRA2GoldenTests(ITestOutputHelper output)
{
    [Theory]
    [GoldenFamilies(GoldenKind.LoRA2, "outputs.safetensors")]
    public void LogitsAndRegularisersAgree(string family)
    {
        var closeness = new Closeness(output, family);
        using JsonDocument document = Trajectory(family);
        using var scope = new TensorScope();
        using AdaptedModel adapted = AdaptedModel.WithLoRA2(family, document.RootElement);
        using var expected = new TraceFile(GoldenTraces.At(family, "outputs.safetensors"));
        Tensor logits = adapted.Model.Forward(adapted.Batch, ForwardContext.Inference);
        closeness.Absolute("logits", "logits", expected.Floats("logits"), logits.ToArray<float>(), Tolerance.Logits);
        closeness.Number("loss", "loss", expected.Floats("loss")[0], adapted.Model.Loss(logits, adapted.Labels).Item(), Tolerance.Logits);
        Assert.Equal(document.RootElement.GetProperty("trainable_adapter_parameters").GetInt32(), adapted.LoRA2Adapters.Sum(adapter => adapter.ParameterCount));
        foreach (string mode in Modes(expected.Names))
            closeness.Number("regularisers", $"{mode}/reg", expected.Floats($"{mode}/reg")[0], adapted.Regulariser(OrthogonalityKinds.Parse(mode)).Item(), Tolerance.Logits);
        closeness.Report();
    }

    [Theory]
    [GoldenFamilies(GoldenKind.LoRA2, "grads.safetensors")]
    public void GradientsAgreeForEveryRegulariser(string family)
    {
        var closeness = new Closeness(output, family);
        using JsonDocument document = Trajectory(family);
        using var scope = new TensorScope();
        using AdaptedModel adapted = AdaptedModel.WithLoRA2(family, document.RootElement);
        double gamma = document.RootElement.GetProperty("gamma").GetDouble();
        using var expected = new TraceFile(GoldenTraces.At(family, "grads.safetensors"));
        IReadOnlyDictionary<string, Parameter> trained = adapted.Trained;
        string[] modes = [.. Modes(expected.Names)];
        Assert.NotEmpty(modes);
        foreach (string mode in modes)
        {
            using (var tape = new Tape()) tape.Backward(adapted.Loss(adapted.Batch, adapted.Labels, gamma, OrthogonalityKinds.Parse(mode)).Total);
            foreach ((string name, Parameter parameter) in trained)
            {
                closeness.Gradient($"{mode}/{name}", expected.Floats($"{mode}/{name}"), parameter.Value);
                parameter.Value.ClearGrad();
            }
        }

        Assert.Equal(expected.Names.Count(), modes.Length * trained.Count);
        closeness.Report();
    }

    internal static JsonDocument Trajectory(string family) => JsonDocument.Parse(File.ReadAllBytes(GoldenTraces.At(family, "trajectory.json")));

    private static IEnumerable<string> Modes(IEnumerable<string> names) => names.Where(name => name.Contains('/')).Select(name => name[..name.IndexOf('/')]).Distinct();
}
