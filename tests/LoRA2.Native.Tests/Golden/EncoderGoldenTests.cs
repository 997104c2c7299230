using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using Xunit.Abstractions;

namespace LoRA2.Native.Tests.Golden;

/// <summary>The encoders against HuggingFace: every hidden state, attention, the logits, the loss, and the gradient of every parameter.</summary>
public sealed class EncoderGoldenTests(ITestOutputHelper output)
{
    private const string Inputs = "inputs.safetensors";
    private const string Outputs = "outputs.safetensors";
    private const string Gradients = "grads.safetensors";

    [Theory]
    [GoldenFamilies(GoldenKind.Encoder, Inputs, Outputs)]
    [GoldenFamilies(GoldenKind.Regression, Inputs, Outputs)]
    [GoldenFamilies(GoldenKind.MultiLabel, Inputs, Outputs)]
    [GoldenFamilies(GoldenKind.Tokens, Inputs, Outputs)]
    [GoldenFamilies(GoldenKind.Masked, Inputs, Outputs)]
    [GoldenFamilies(GoldenKind.Clamp, Inputs, Outputs)]
    [GoldenFamilies(GoldenKind.OtherInputs, Inputs, Outputs)]
    public void ForwardAgrees(string family)
    {
        var closeness = new Closeness(output, family);
        using var scope = new TensorScope();
        using SequenceClassifier model = GoldenModel.Load(family);
        Assert.Empty(model.InitialisedParameters);
        Assert.Empty(model.Config.UnknownFields);
        using var inputs = new TraceFile(GoldenTraces.At(family, Inputs));
        using var expected = new TraceFile(GoldenTraces.At(family, Outputs));
        EncoderBatch batch = GoldenModel.Batch(inputs);
        var context = new ForwardContext { HiddenStates = [], Attentions = [] };

        Tensor logits = model.Forward(batch, context);
        Tensor? loss = inputs.Has("labels") ? model.Loss(logits, inputs.Tensor("labels")) : null;

        Assert.Equal(model.Config.Layers + 1, context.HiddenStates.Count);
        int attentions = expected.Names.Count(name => name.StartsWith("attentions.", StringComparison.Ordinal));
        Assert.Equal(attentions > 0 ? attentions : model.Config.Layers, context.Attentions.Count);
        if (loss is not null) closeness.Number("loss", "loss", expected.Floats("loss")[0], loss.Item(), Tolerance.Logits);
        bool padding = GoldenModel.ComparesPadding(family, model.Config);
        int[] mask = batch.Mask.ToArray<int>();
        // Logits of tokens are compared where hidden states are.
        if (logits.Shape.Rank == 3) closeness.Tokens("logits", "logits", expected.Floats("logits"), logits, padding ? null : mask, Tolerance.Logits);
        else closeness.Absolute("logits", "logits", expected.Floats("logits"), logits.ToArray<float>(), Tolerance.Logits);
        for (int i = 0; i < context.HiddenStates.Count; i++)
        {
            string name = $"hidden_states.{i}";
            if (!expected.Has(name)) continue;
            closeness.Tokens("hidden states", name, expected.Floats(name), context.HiddenStates[i], padding ? null : mask, Tolerance.HiddenStates);
        }

        for (int i = 0; i < context.Attentions.Count; i++)
        {
            string name = $"attentions.{i}";
            if (!expected.Has(name)) continue;
            int[] queries = [.. Rows(mask, batch.Length, model.Config.Heads)];
            closeness.Tokens("attentions", name, expected.Floats(name), context.Attentions[i], queries, Tolerance.Attentions);
        }

        closeness.Report();
    }

    [Theory]
    [GoldenFamilies(GoldenKind.Encoder, Inputs, Gradients)]
    [GoldenFamilies(GoldenKind.Regression, Inputs, Gradients)]
    [GoldenFamilies(GoldenKind.MultiLabel, Inputs, Gradients)]
    [GoldenFamilies(GoldenKind.Tokens, Inputs, Gradients)]
    [GoldenFamilies(GoldenKind.Masked, Inputs, Gradients)]
    [GoldenFamilies(GoldenKind.Clamp, Inputs, Gradients)]
    public void GradientsAgree(string family)
    {
        var closeness = new Closeness(output, family);
        using var scope = new TensorScope();
        using SequenceClassifier model = GoldenModel.Load(family);
        model.TrainAll();
        using var inputs = new TraceFile(GoldenTraces.At(family, Inputs));
        using var expected = new TraceFile(GoldenTraces.At(family, Gradients));
        using (var tape = new Tape())
        {
            Tensor logits = model.Forward(GoldenModel.Batch(inputs), ForwardContext.Inference);
            tape.Backward(model.Loss(logits, inputs.Tensor("labels")));
        }

        Dictionary<string, Tensor> parameters = model.BaseParameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value);
        string[] names = [.. expected.Names.Order(StringComparer.Ordinal)];
        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.Contains(name, parameters.Keys));
        bool complete = File.Exists(GoldenTraces.At(family, "model.safetensors"));
        if (complete) Assert.Equal(names, parameters.Keys.Order(StringComparer.Ordinal));
        foreach (string name in names) closeness.Gradient(name, expected.Floats(name), parameters[name]);
        closeness.Report();
    }

    [Theory]
    [GoldenFamilies(GoldenKind.DebertaV3, Inputs)]
    public void PaddingAttendsToNothing(string family)
    {
        using var scope = new TensorScope();
        using SequenceClassifier model = GoldenModel.Load(family);
        using var inputs = new TraceFile(GoldenTraces.At(family, Inputs));
        EncoderBatch batch = GoldenModel.Batch(inputs);
        var context = new ForwardContext { Attentions = [] };
        model.Forward(batch, context);
        int[] padding = [.. Rows(batch.Mask.ToArray<int>(), batch.Length, model.Config.Heads).Select(real => 1 - real)];
        Assert.Contains(1, padding);
        foreach (Tensor attention in context.Attentions) Assert.All(Closeness.Select(attention.ToArray<float>(), padding), probability => Assert.Equal(0, probability));
    }

    /// <summary>[batch, length] → [batch, heads, length]: whether the query is a real token.</summary>
    private static IEnumerable<int> Rows(int[] mask, int length, int heads) =>
        mask.Chunk(length).SelectMany(sequence => Enumerable.Repeat(sequence, heads).SelectMany(row => row));
}
