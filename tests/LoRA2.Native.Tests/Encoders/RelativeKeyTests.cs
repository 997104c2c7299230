using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Encoders;

/// <summary>BERT's relative_key and relative_key_query against the definition, computed in double precision by plain loops.</summary>
public sealed class RelativeKeyTests
{
    private const int Width = 12;
    private const int Heads = 3;
    private const int Size = Width / Heads;
    private const int Positions = 7;

    [Theory]
    [InlineData(PositionKinds.RelativeKey, 1)]
    [InlineData(PositionKinds.RelativeKey, 5)]
    [InlineData(PositionKinds.RelativeKeyQuery, 1)]
    [InlineData(PositionKinds.RelativeKeyQuery, 5)]
    [InlineData(PositionKinds.RelativeKeyQuery, Positions)]
    public void TheValuesAreTheDefinitions(string kind, int length)
    {
        BertConfig config = Config(kind);
        using var scope = new TensorScope();
        var source = new ParameterSource(null, config, 3, Precision.Float32);
        var attention = new RelativeKeyAttention(config, source, "bert.encoder.layer.0");
        int[] mask = [.. Enumerable.Range(0, 2 * length).Select(i => i == (2 * length) - 1 && length > 1 ? 0 : 1)];
        Tensor x = Tensor.From(Values(2 * length * Width), [2, length, Width]);
        Tensor found = attention.Forward(x, new LayerInputs(Tensor.From(mask, [2, length])), new ForwardContext(), scope);
        double[] expected = Definition(config, source, x.ToArray<float>(), mask, length);
        float[] values = found.ToArray<float>();
        for (int i = 0; i < values.Length; i++) Assert.Equal(expected[i], values[i], 1e-5);
    }

    [Theory]
    [InlineData(PositionKinds.RelativeKey)]
    [InlineData(PositionKinds.RelativeKeyQuery)]
    public void TheGradientIsThatOfCentralDifferences(string kind)
    {
        const int Length = 4;
        using var scope = new TensorScope();
        Tensor[] inputs = [.. Enumerable.Range(0, 3).Select(i => Tensor.From(Values(2 * Length * Width, i), [2, Length, Width])), Tensor.From(Values(((2 * Positions) - 1) * Size, 9), [(2 * Positions) - 1, Size])];
        foreach (Tensor input in inputs) input.RequiresGrad = true;
        int[] rows = [.. Enumerable.Range(0, (2 * Length) - 1)];
        Tensor Attend(IReadOnlyList<Tensor> all)
        {
            var terms = new AttentionTerms(Heads, 1 / Math.Sqrt(Size), Tensor.From<int>([1, 1, 1, 1, 1, 1, 1, 0], [2, Length]), PositionOf: rows);
            return Ops.DisentangledAttention(all[0], all[1], all[2], RelativeKeyAttention.With(terms, all[3], Tensor.Zeros([1, Heads, Size], all[3].DType), Length, kind == PositionKinds.RelativeKeyQuery));
        }

        GradientCheck.Verify(Attend, inputs);
    }

    [Fact]
    public void TheLayersHaveTablesOfDistancesAndTheEmbeddingsNoneOfPositions()
    {
        using SequenceClassifier model = SequenceClassifier.Create(Config(PositionKinds.RelativeKey));
        Assert.Equal(new Shape((2 * Positions) - 1, Size), Assert.Single(model.BaseParameters, parameter => parameter.Name == "bert.encoder.layer.1.attention.self.distance_embedding.weight").Value.Shape);
        Assert.DoesNotContain(model.BaseParameters, parameter => parameter.Name.Contains("position_embeddings", StringComparison.Ordinal));
        Assert.Equal(Positions, model.Config.LongestInput);
    }

    [Fact]
    public void TheConfigSaysWhichKindItIs()
    {
        using var folder = new TemporaryFolder();
        string Text(string kind) => ConfigText.With("bert", "position_embedding_type", $"\"{kind}\"").ToJsonString();
        foreach (string kind in (string[])[PositionKinds.Absolute, PositionKinds.RelativeKey, PositionKinds.RelativeKeyQuery])
            Assert.Equal(kind, Assert.IsType<BertConfig>(EncoderConfigReader.FromFile(folder.Write("config.json", Text(kind)))).Positions);
        InputException e = Assert.Throws<InputException>(() => EncoderConfigReader.FromFile(folder.Write("config.json", Text("rotary"))));
        Assert.Contains("position_embedding_type 'rotary' is not supported", e.Message, StringComparison.Ordinal);
    }

    private static BertConfig Config(string kind) => new() { VocabularySize = 11, HiddenSize = Width, Layers = 2, Heads = Heads, IntermediateSize = 16, MaxPositions = Positions, Positions = kind, InitializerRange = 0.5 };

    private static float[] Values(int count, int seed = 0)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];
    }

    private static double[] Definition(BertConfig config, ParameterSource source, float[] x, int[] mask, int length)
    {
        float[] Weight(string name) => source.Made.Single(parameter => parameter.Name.EndsWith(name, StringComparison.Ordinal)).Value.ToArray<float>();
        double[] Project(string name)
        {
            (float[] weight, float[] bias) = (Weight($"{name}.weight"), Weight($"{name}.bias"));
            double[] projected = new double[x.Length];
            for (int token = 0; token < x.Length / Width; token++)
            {
                for (int to = 0; to < Width; to++)
                {
                    double sum = bias[to];
                    for (int from = 0; from < Width; from++) sum += (double)weight[(to * Width) + from] * x[(token * Width) + from];
                    projected[(token * Width) + to] = sum;
                }
            }

            return projected;
        }

        (double[] q, double[] k, double[] v) = (Project("query"), Project("key"), Project("value"));
        float[] table = Weight("distance_embedding.weight");
        double[] result = new double[x.Length];
        for (int batch = 0; batch < 2; batch++)
        {
            for (int head = 0; head < Heads; head++)
            {
                for (int i = 0; i < length; i++)
                {
                    int At(int token, int d) => (((batch * length) + token) * Width) + (head * Size) + d;
                    double[] scores = new double[length];
                    for (int j = 0; j < length; j++)
                    {
                        double sum = 0;
                        for (int d = 0; d < Size; d++)
                        {
                            double distance = table[((i - j + Positions - 1) * Size) + d];
                            sum += (q[At(i, d)] * k[At(j, d)]) + (q[At(i, d)] * distance) + (config.Positions == PositionKinds.RelativeKeyQuery ? k[At(j, d)] * distance : 0);
                        }

                        scores[j] = mask[(batch * length) + j] == 0 ? 0 : Math.Exp(sum / Math.Sqrt(Size));
                    }

                    for (int d = 0; d < Size; d++) result[At(i, d)] = Enumerable.Range(0, length).Sum(j => scores[j] / scores.Sum() * v[At(j, d)]);
                }
            }
        }

        return result;
    }
}
