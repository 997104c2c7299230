using System.Text.Json;
using LoRA2.Native.Cli.Tests;
using LoRA2.Native.Encoders;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Serialization;
using LoRA2.Native.Tests.Encoders;
using LoRA2.Native.Tests.Golden;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

/// <summary>What <c>lora2 trace</c> writes has the golden folders' names, shapes and numbers.</summary>
public sealed class TraceGoldenTests : IDisposable
{
    private const string Inputs = "inputs.safetensors";
    private const string Outputs = "outputs.safetensors";
    private const string Gradients = "grads.safetensors";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [GoldenFamilies(GoldenKind.Encoder, Inputs, Outputs, Gradients)]
    public void AModelIsTracedAsItsGoldenFolder(string family) => TraceAndCompare(family, GoldenTraces.At(family));

    [Theory]
    [GoldenFamilies(GoldenKind.Regression, Inputs, Outputs, Gradients)]
    public void ARegressionHasTheOriginalsShapeOfLogits(string family)
    {
        string model = folder.File("model");
        Directory.CreateDirectory(model);
        File.Copy(GoldenTraces.At(family, "config.json"), Path.Combine(model, "config.json"));
        Overlay(GoldenTraces.At(family, "..", "model.safetensors"), GoldenTraces.At(family, "head.safetensors"), Path.Combine(model, "model.safetensors"));
        TraceAndCompare(family, model);
    }

    [Theory]
    [GoldenFamilies(GoldenKind.LoRA, Outputs, Gradients, "meta.json")]
    public void AnAdapterIsTracedUnderPeftsNamesAndMerges(string family)
    {
        using JsonDocument meta = JsonDocument.Parse(File.ReadAllBytes(GoldenTraces.At(family, "meta.json")));
        string model = GoldenTraces.At(family, meta.RootElement.GetProperty("base").GetString()!);
        string inputs = GoldenTraces.At(family, meta.RootElement.GetProperty("inputs").GetString()!);
        string adapter = GoldenTraces.At(family), trace = folder.File("trace");
        Lora2.Run("trace", "--model", model, "--adapter", adapter, "--inputs", inputs, "--output", trace, "--gradients").Done();
        RequireSame(GoldenTraces.At(family, Gradients), Gradients, _ => true);
        RequireSame(GoldenTraces.At(family, Outputs), Outputs, IsOutput);
        // The base model is found by the name in adapter_config.json, relative to the adapter's folder.
        Lora2.Run("merge", "--adapter", adapter, "--output", folder.File("merged")).Done();
        Lora2.Run("trace", "--model", folder.File("merged"), "--inputs", inputs, "--output", trace).Done();
        RequireSame(GoldenTraces.At(family, Outputs), Outputs, name => name == "logits");
    }

    [Fact]
    public void BadInputsAreNamed()
    {
        string model = folder.File("model");
        Directory.CreateDirectory(model);
        File.WriteAllText(Path.Combine(model, "config.json"), ConfigText.Of("roberta").ToJsonString());
        using (SequenceClassifier made = SequenceClassifier.Create(EncoderConfigReader.FromFolder(model))) ModelFolder.Save(made, model, model);
        void Refuses(string sentence, params (string Name, Tensor Values)[] tensors)
        {
            var writer = new SafetensorsWriter();
            foreach ((string name, Tensor values) in tensors) writer.Add(name, values);
            writer.Write(folder.File("inputs.safetensors"));
            string[] args = ["trace", "--model", model, "--inputs", folder.File("inputs.safetensors"), "--output", folder.File("trace"), "--gradients"];
            Assert.Contains(sentence, Lora2.Run(args).Refused(), StringComparison.Ordinal);
            Assert.False(Directory.Exists(folder.File("trace")));
        }

        using var scope = new TensorScope();
        Tensor ids = Tensor.Full([2, 3], 5, DType.Int32);
        Refuses("there is no tensor \"input_ids\"", ("ids", ids));
        Refuses("'input_ids' holds 99999; 0 to ", ("input_ids", Tensor.Full([2, 3], 99999, DType.Int32)));
        Refuses("'input_ids' has shape [6]", ("input_ids", Ops.Reshape(ids, 6)));
        Refuses("'attention_mask' has shape [3, 2]; [2, 3] was expected", ("input_ids", ids), ("attention_mask", Ops.Reshape(ids, 3, 2)));
        Refuses("'input_ids' has dtype F32", ("input_ids", Tensor.Zeros([2, 3])));
        Refuses("--gradients needs a tensor 'labels'", ("input_ids", ids));
        Refuses("'labels' holds 3; at most 2 was expected", ("input_ids", ids), ("labels", Tensor.Full([2], 3, DType.Int32)));
        Refuses("tokens a row; the model has", ("input_ids", Tensor.Full([1, 5000], 5, DType.Int32)));
    }

    private static bool IsOutput(string name) =>
        name is "logits" or "loss" || name.StartsWith("hidden_states.", StringComparison.Ordinal) || name.StartsWith("attentions.", StringComparison.Ordinal);

    private static void Overlay(string under, string over, string path)
    {
        using TraceFile weights = new(under), head = new(over);
        using var scope = new TensorScope();
        var writer = new SafetensorsWriter();
        foreach (string name in weights.Names) writer.Add(name, head.Has(name) ? head.Tensor(name) : weights.Tensor(name));
        writer.Write(path);
    }

    private void TraceAndCompare(string family, string model)
    {
        Lora2.Run("trace", "--model", model, "--inputs", GoldenTraces.At(family, Inputs), "--output", folder.File("trace"), "--gradients").Done();
        RequireSame(GoldenTraces.At(family, Gradients), Gradients, _ => true);
        RequireSame(GoldenTraces.At(family, Outputs), Outputs, IsOutput, RealTokens(family, model));
    }

    /// <summary>Which tokens are no padding, [batch, length], where the original's padded rows mean nothing; null where they can be compared too.</summary>
    private static int[]? RealTokens(string family, string model)
    {
        if (GoldenModel.ComparesPadding(family, EncoderConfigReader.FromFolder(model))) return null;
        using TraceFile inputs = new(GoldenTraces.At(family, Inputs));
        using var scope = new TensorScope();
        return inputs.Tensor("attention_mask").ToArray<int>();
    }

    /// <summary>Whether an element belongs to a real token: to its row of a hidden state [batch, length, width] or, as the query, of attention [batch, heads, length, length].</summary>
    private static bool IsReal(int[] real, ReadOnlySpan<int> shape, int index)
    {
        int length = shape[^2], row = index / shape[^1], heads = shape.Length == 4 ? shape[1] : 1;
        return real[(row / (length * heads) * length) + (row % length)] != 0;
    }

    /// <summary>The same names and shapes, and numbers within what "matching" means; how close exactly is for the other golden tests.</summary>
    private void RequireSame(string golden, string file, Func<string, bool> compared, int[]? real = null)
    {
        using TraceFile expected = new(golden), actual = new(Path.Combine(folder.File("trace"), file));
        Assert.Contains(expected.Names, name => compared(name));
        Assert.Empty(expected.Names.Where(compared).Except(actual.Names));
        foreach (string name in expected.Names.Where(compared))
        {
            Assert.Equal(expected.Shape(name), actual.Shape(name));
            (float[] wanted, float[] found) = (expected.Floats(name), actual.Floats(name));
            double tolerance = file == Gradients ? Math.Max(1e-6, 1e-4 * wanted.Max(Math.Abs)) : name.StartsWith("hidden", StringComparison.Ordinal) ? 2e-4 : 1e-4;
            bool perToken = real is not null && (name.StartsWith("hidden", StringComparison.Ordinal) || name.StartsWith("attentions", StringComparison.Ordinal));
            int[] shape = expected.Shape(name);
            for (int i = 0; i < wanted.Length; i++)
            {
                if (perToken && !IsReal(real!, shape, i)) continue;
                Assert.True(Math.Abs(wanted[i] - found[i]) <= tolerance, $"{name}[{i}]: {found[i]} instead of {wanted[i]}");
            }
        }
    }
}
