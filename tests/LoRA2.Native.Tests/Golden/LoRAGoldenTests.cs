using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Shared;
using Xunit.Abstractions;

namespace LoRA2.Native.Tests.Golden;

/// <summary>A LoRA adapter against PEFT: hidden states, logits, gradients, and the logits after a merge.</summary>
public sealed class LoRAGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [GoldenFamilies(GoldenKind.LoRA, "outputs.safetensors")]
    public void ForwardAgrees(string family)
    {
        var closeness = new Closeness(output, family);
        using var scope = new TensorScope();
        using AdaptedModel adapted = AdaptedModel.WithLoRA(family);
        using var expected = new TraceFile(GoldenTraces.At(family, "outputs.safetensors"));
        var context = new ForwardContext { HiddenStates = [] };
        Tensor logits = adapted.Model.Forward(adapted.Batch, context);
        closeness.Absolute("logits", "logits", expected.Floats("logits"), logits.ToArray<float>(), Tolerance.Logits);
        closeness.Number("loss", "loss", expected.Floats("loss")[0], adapted.Model.Loss(logits, adapted.Labels).Item(), Tolerance.Logits);
        int[]? real = GoldenModel.ComparesPadding(family, adapted.Model.Config) ? null : adapted.Batch.Mask.ToArray<int>();
        for (int i = 0; i < context.HiddenStates.Count; i++)
        {
            string name = $"hidden_states.{i}";
            closeness.Tokens("hidden states", name, expected.Floats(name), context.HiddenStates[i], real, Tolerance.HiddenStates);
        }

        closeness.Report();
    }

    [Theory]
    [GoldenFamilies(GoldenKind.LoRA, "grads.safetensors")]
    public void GradientsAgree(string family)
    {
        var closeness = new Closeness(output, family);
        using var scope = new TensorScope();
        using AdaptedModel adapted = AdaptedModel.WithLoRA(family);
        using var expected = new TraceFile(GoldenTraces.At(family, "grads.safetensors"));
        using (var tape = new Tape())
        {
            tape.Backward(adapted.Model.Loss(adapted.Model.Forward(adapted.Batch, ForwardContext.Inference), adapted.Labels));
        }

        IReadOnlyDictionary<string, Parameter> trained = adapted.Trained;
        string[] names = [.. expected.Names];
        Assert.Equal(trained.Keys.Order(StringComparer.Ordinal), names.Select(ParameterOf).Order(StringComparer.Ordinal));
        foreach (string name in names) closeness.Gradient(name, expected.Floats(name), trained[ParameterOf(name)].Value);
        Assert.All(adapted.Model.BaseParameters.Where(parameter => !parameter.IsTrainable), parameter => Assert.Null(parameter.Value.Grad));
        closeness.Report();
    }

    [Theory]
    [GoldenFamilies(GoldenKind.LoRA, "outputs.safetensors")]
    public void MergedLogitsAgree(string family)
    {
        var closeness = new Closeness(output, family);
        using var scope = new TensorScope();
        using AdaptedModel adapted = AdaptedModel.WithLoRA(family);
        using MergedAdapters merged = adapted.Model.Merge();
        Assert.All(adapted.Model.AdaptableLayers, layer => Assert.Null(layer.Adapter));
        using var expected = new TraceFile(GoldenTraces.At(family, "outputs.safetensors"));
        float[] logits = expected.Floats("logits_merged");
        Tensor padded = adapted.Model.Forward(adapted.Batch, new ForwardContext { KeepsPadding = true });
        closeness.Absolute("merged logits", "logits_merged", logits, padded.ToArray<float>(), Tolerance.Logits);
        Tensor packed = adapted.Model.Forward(adapted.Batch, ForwardContext.Inference);
        int[]? real = packed.Shape.Rank == 3 ? adapted.Batch.Mask.ToArray<int>() : null; // of padding, which does not go through the layers, a head of tokens says nothing
        closeness.Tokens("merged logits without padding", "logits_merged", logits, packed, real, Tolerance.Logits);
        closeness.Report();
    }

    [Theory]
    [GoldenFamilies(GoldenKind.LoRA)]
    public void SavedAsPeftSavesIt(string family)
    {
        using var scope = new TensorScope();
        using AdaptedModel adapted = AdaptedModel.WithLoRA(family);
        using var folder = new TemporaryFolder();
        AdapterFolder.Save(adapted.Model, adapted.Settings!, "base", folder.Path);
        using var expected = new TraceFile(GoldenTraces.At(family, AdapterFolder.WeightsFile));
        using var found = new TraceFile(folder.File(AdapterFolder.WeightsFile));
        Assert.Equal(expected.Names.Order(StringComparer.Ordinal), found.Names.Order(StringComparer.Ordinal));
        foreach (string name in expected.Names)
        {
            Assert.Equal(expected.Shape(name), found.Shape(name));
            Assert.Equal(expected.Floats(name), found.Floats(name));
        }
    }

    /// <summary>PEFT's name of a parameter in memory → the name it has here.</summary>
    private static string ParameterOf(string name) => name["base_model.model.".Length..]
        .Replace(".modules_to_save.default", "", StringComparison.Ordinal)
        .Replace(".lora_A.default.weight", ".lora_A", StringComparison.Ordinal)
        .Replace(".lora_B.default.weight", ".lora_B", StringComparison.Ordinal);
}
