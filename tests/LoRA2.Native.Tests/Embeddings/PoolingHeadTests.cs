using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Golden;

namespace LoRA2.Native.Tests.Embeddings;

/// <summary>Pooling of HuggingFace's own hidden states, against its formulas in double.</summary>
public sealed class PoolingHeadTests
{
    public static TheoryData<Pooling, bool, int> Settings
    {
        get
        {
            var data = new TheoryData<Pooling, bool, int>();
            foreach (Pooling pooling in Enum.GetValues<Pooling>())
            {
                data.Add(pooling, false, int.MaxValue);
                data.Add(pooling, true, int.MaxValue);
                data.Add(pooling, true, 10);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void VectorsAreThoseOfTheTracesHiddenStates(Pooling pooling, bool normalises, int most)
    {
        string folder = GoldenTraces.At("bert_tiny");
        using var inputs = new TraceFile(Path.Combine(folder, "inputs.safetensors"));
        using var outputs = new TraceFile(Path.Combine(folder, "outputs.safetensors"));
        string last = outputs.Names.Where(name => name.StartsWith("hidden_states.", StringComparison.Ordinal)).MaxBy(name => int.Parse(name[14..]))!;
        int[] shape = outputs.Shape(last), mask = inputs.Ints("attention_mask");
        Assert.Contains(0, mask);
        int dimensions = Math.Min(most, shape[2]);
        var settings = new EmbeddingSettings { Pooling = pooling, Normalises = normalises };
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder, config => config with { Task = new EmbeddingsTask { Settings = settings, Dimensions = dimensions } });
        using var scope = new TensorScope();
        float[] found = model.Forward(GoldenModel.Batch(inputs), ForwardContext.Inference).ToArray<float>();

        float[] hidden = outputs.Floats(last);
        double[][] expected = [.. Enumerable.Range(0, shape[0]).Select(text => Reference(
            [.. Enumerable.Range(0, shape[1]).Where(t => mask[(text * shape[1]) + t] != 0).Select(t => hidden.AsSpan(((text * shape[1]) + t) * shape[2], dimensions).ToArray())], pooling, normalises))];
        Assert.Equal(expected.Sum(row => row.Length), found.Length);
        foreach ((double right, float value) in expected.SelectMany(row => row).Zip(found)) Assert.Equal(right, value, 1e-5);
    }

    private static double[] Reference(float[][] tokens, Pooling pooling, bool normalises)
    {
        double[] vector = [.. Enumerable.Range(0, tokens[0].Length).Select(c =>
        {
            double[] column = [.. tokens.Select(token => (double)token[c])];
            return pooling switch
            {
                Pooling.Mean => column.Average(),
                Pooling.Cls => column[0],
                Pooling.Max => column.Max(),
                Pooling.MeanSqrtLength => column.Sum() / Math.Sqrt(column.Length),
                Pooling.WeightedMean => column.Select((value, t) => (t + 1) * value).Sum() / (column.Length * (column.Length + 1) / 2.0),
                _ => column[^1],
            };
        })];
        double length = Math.Sqrt(vector.Sum(value => value * value));
        return normalises ? Array.ConvertAll(vector, value => value / length) : vector;
    }
}
