using System.Text.Json.Nodes;
using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Adapters;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Encoders;

/// <summary>A pass without padding has the logits, losses and gradients of the padded one, dropout included, and of its texts one by one.</summary>
public sealed class PackedPassTests : IDisposable
{
    private const ulong Seed = 3;

    /// <summary>One token, primes, the longest that every family takes, all alike but one, and a single text.</summary>
    private static readonly int[][] Lengths = [[1, 7, 13, 2, 29, 1, 5], [29, 1], [1, 1, 1, 3], [11, 11, 11, 11, 3], [5], [1], [17, 30, 23, 19, 3, 30]];

    private readonly TemporaryFolder folder = new();

    public static TheoryData<string> Families => [.. Configs.Keys];

    public static TheoryData<string, string> Trained
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string family in Configs.Keys)
            {
                foreach (string method in (string[])["lora2", "lora", "full"]) data.Add(family, method);
            }

            foreach (AdapterMethod method in AdapterMethods.All.Where(method => method.Name is not ("lora2" or "lora" or "full"))) data.Add("roberta", method.Name);
            return data;
        }
    }

    private static Dictionary<string, Func<JsonObject>> Configs
    {
        get
        {
            Dictionary<string, Func<JsonObject>> configs = ConfigText.Types.ToDictionary<string, string, Func<JsonObject>>(type => type, type => () => ConfigText.Of(type));
            foreach (string kind in (string[])["relative_key", "relative_key_query"]) configs.Add($"bert, {kind}", () => ConfigText.With("bert", "position_embedding_type", $"\"{kind}\""));
            configs.Add("deberta-v2, convolution", () => ConfigText.With("deberta-v2", "conv_kernel_size", "3"));
            configs.Add("deberta-v2, absolute", () => ConfigText.With("deberta-v2", "position_biased_input", "true"));
            configs.Add("modernbert, first token", () => ConfigText.With("modernbert", "classifier_pooling", "\"cls\""));
            return configs;
        }
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public void TheHiddenStatesAreThoseOfThePaddedPassAndZerosForPadding(string family)
    {
        using SequenceClassifier model = Model(family);
        foreach (int[] lengths in Lengths)
        {
            using var scope = new TensorScope();
            EncoderBatch batch = Batch(lengths, 30);
            Assert.NotNull(PackedTokens.Of(batch));
            float[] packed = model.Encode(batch, ForwardContext.Inference, out Tensor mask).ToArray<float>(), padded = model.Encode(batch, new ForwardContext { KeepsPadding = true }, out _).ToArray<float>();
            int width = packed.Length / mask.Count;
            int[] tokens = mask.ToArray<int>();
            Assert.Equal(lengths.Sum(), tokens.Sum());
            foreach ((int place, int token) in tokens.Index())
            {
                float[] found = packed[(place * width)..((place + 1) * width)];
                if (token == 0) Assert.All(found, value => Assert.Equal(0, value));
                else Near(padded[(place * width)..((place + 1) * width)], found);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Trained))]
    public void LogitsLossesAndGradientsAreThoseOfThePaddedPassAlsoWithDropout(string family, string method)
    {
        using SequenceClassifier model = Trainable(family, method);
        foreach (bool drops in (bool[])[false, true])
        {
            foreach (int[] lengths in Lengths)
            {
                Results packed = Differentiate(model, Batch(lengths, 30), First(lengths.Length), Pass(drops)), padded = Differentiate(model, Batch(lengths, 30), First(lengths.Length), Pass(drops, keepsPadding: true));
                packed.MustBe(padded);
                packed.MustBe(Differentiate(model, Batch(lengths, 30), First(lengths.Length), Pass(drops, recompute: true)), exactly: true);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Trained))]
    public void TheyAreThoseOfTheTextsOneByOne(string family, string method)
    {
        using SequenceClassifier model = Trainable(family, method);
        foreach (int[] lengths in Lengths)
        {
            Results packed = Differentiate(model, Batch(lengths, 30), First(lengths.Length), ForwardContext.Inference);
            var sum = new Results([], 0, []);
            foreach (int text in First(lengths.Length)) sum = sum.Plus(Differentiate(model, Batch(lengths, lengths[text], text), [text], ForwardContext.Inference), 1f / lengths.Length);
            packed.MustBe(sum);
        }
    }

    /// <summary>Padding before or within a text, a text of padding alone, and next to no padding.</summary>
    [Fact]
    public void OtherPaddingStaysInTheBatch()
    {
        using var scope = new TensorScope();
        foreach (int[] mask in (int[][])[[0, 1, 1, 1, 1, 1], [1, 0, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]])
            Assert.Null(PackedTokens.Of(new EncoderBatch(Tensor.Zeros([2, 3], DType.Int32), Tensor.From(mask, [2, 3]))));
        Assert.Null(PackedTokens.Of(new EncoderBatch(Tensor.Zeros([1, 17], DType.Int32), Tensor.From([.. Enumerable.Repeat(1, 16), 0], [1, 17]))));
        PackedTokens packed = PackedTokens.Of(new EncoderBatch(Tensor.Zeros([2, 3], DType.Int32), Tensor.From([1, 0, 0, 1, 1, 1], [2, 3])))!.Value;
        Assert.Equal([0, 3, 4, 5], packed.Places.ToArray<long>());
        Assert.Equal([0, 1, 4], packed.Starts.ToArray<int>());
    }

    /// <summary>Layers, embeddings and attentions of others are given [batch, length, width], wherever they are.</summary>
    [Fact]
    public void WhatOthersWroteSeesThePadding()
    {
        using var scope = new TensorScope();
        var config = new BertConfig { VocabularySize = 50, HiddenSize = 8, Heads = 2, IntermediateSize = 16, Layers = 1 };
        var source = new ParameterSource(null, config, Seed, Precision.Float32);
        var words = new WordEmbeddings(config, source, "words", "norm", hasBias: true);
        var foreign = new ForeignLayer(source);
        var attention = new ForeignAttention(config, source, "0");
        var layer = new PostNormLayer(config, source, "0", attention);
        foreach (IEncoderLayer outer in (IEncoderLayer[])[foreign, new LayerGroup([layer, new LayerGroup([foreign])]), new PostNormLayer(config, source, "1", attention)])
        {
            var encoder = new Encoder(words, [outer]);
            Tensor hidden = encoder.Forward(Batch([1, 7, 3], 7), out _, ForwardContext.Inference);
            Assert.Equal([3, 7, 8], hidden.Shape.Extents.ToArray());
        }

        Assert.Equal(2, foreign.Passes);
        Assert.Equal(2, attention.Passes);
    }

    private sealed class ForeignLayer(ParameterSource source) : IEncoderLayer
    {
        public int Passes { get; private set; }

        public IReadOnlyList<LinearLayer> Linears { get; } = [source.Linear("foreign", 8, 8)];

        public Tensor Forward(Tensor x, LayerInputs inputs, ForwardContext context)
        {
            Passes++;
            Assert.Equal([3, 7, 8], x.Shape.Extents.ToArray());
            Assert.Null(inputs.Packed);
            return Ops.Scale(x, 1);
        }
    }

    private sealed class ForeignAttention(EncoderConfig config, ParameterSource source, string path) : SelfAttention(config, source, path)
    {
        public int Passes { get; private set; }

        public override Tensor Forward(Tensor x, LayerInputs inputs, ForwardContext context, TensorScope scope)
        {
            Passes++;
            Assert.Equal([3, 7, 8], x.Shape.Extents.ToArray());
            return base.Forward(x, inputs, context, scope);
        }
    }

    private SequenceClassifier Model(string family)
    {
        folder.Write("config.json", Configs[family]().ToJsonString());
        return SequenceClassifier.Create(EncoderConfigReader.FromFolder(folder.Path), Seed);
    }

    private SequenceClassifier Trainable(string family, string method)
    {
        SequenceClassifier model = Model(family);
        model.Attach(new AdapterSettings { Method = SmallModel.Method(method), Head = HeadTraining.Classifier }, 2);
        return model;
    }

    private static ForwardContext Pass(bool drops, bool keepsPadding = false, bool recompute = false) => new() { IsTraining = drops, Seed = 11, Step = 5, Recompute = recompute, KeepsPadding = keepsPadding };

    private static int[] First(int count) => [.. Enumerable.Range(0, count)];

    /// <summary>Texts of these lengths in a batch of that length; of one alone where it is named.</summary>
    private static EncoderBatch Batch(int[] lengths, int length, int? only = null)
    {
        int[] texts = only is { } text ? [text] : First(lengths.Length);
        int[] Filled(Func<int, int, int> token, int padding) => [.. texts.SelectMany(text => Enumerable.Range(0, length).Select(i => i < lengths[text] ? token(text, i) : padding))];
        Shape shape = [texts.Length, length];
        return new EncoderBatch(Tensor.From(Filled((text, i) => 5 + (((text * 31) + (i * 7)) % 45), 1), shape), Tensor.From(Filled((_, _) => 1, 0), shape), Tensor.From(Filled((text, i) => i % 3 == text % 3 ? 1 : 0, 0), shape));
    }

    private static Results Differentiate(SequenceClassifier model, EncoderBatch batch, int[] texts, ForwardContext pass)
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor logits = model.Forward(batch, pass);
        Tensor loss = model.Loss(logits, Tensor.From([.. texts.Select(text => text % 3)], [texts.Length]));
        tape.Backward(loss);
        var gradients = new SortedDictionary<string, float[]>(StringComparer.Ordinal);
        foreach (Parameter parameter in model.Parameters.Where(parameter => parameter.IsTrainable))
        {
            gradients[parameter.Name] = parameter.Value.Grad?.ToArray<float>() ?? new float[parameter.Count];
            parameter.Value.ClearGrad();
        }

        return new Results(logits.ToArray<float>(), loss.ToArray<float>()[0], gradients);
    }

    private static void Near(float[] expected, float[] found, string what = "hidden states")
    {
        Assert.Equal(expected.Length, found.Length);
        float largest = expected.Length == 0 ? 0 : expected.Max(Math.Abs);
        foreach ((float one, float other) in expected.Zip(found)) Assert.True(Math.Abs(one - other) <= 1e-5 * Math.Max(1, largest), $"{what}: {other} where {one} was expected, of numbers up to {largest}");
    }

    private sealed record Results(float[] Logits, float Loss, SortedDictionary<string, float[]> Gradients)
    {
        public void MustBe(Results expected, bool exactly = false)
        {
            Assert.True(float.IsFinite(Loss));
            Assert.Equal(expected.Gradients.Keys, Gradients.Keys);
            if (exactly)
            {
                Assert.Equal(expected.Logits, Logits);
                foreach ((string name, float[] gradient) in Gradients) Assert.Equal(expected.Gradients[name], gradient);
                return;
            }

            Near(expected.Logits, Logits, "logits");
            Near([expected.Loss], [Loss], "loss");
            foreach ((string name, float[] gradient) in Gradients) Near(expected.Gradients[name], gradient, name);
        }

        public Results Plus(Results other, float share)
        {
            var sums = new SortedDictionary<string, float[]>(StringComparer.Ordinal);
            foreach ((string name, float[] gradient) in other.Gradients) sums[name] = [.. gradient.Select((value, i) => (Gradients.TryGetValue(name, out float[]? before) ? before[i] : 0) + (share * value))];
            return new([.. Logits, .. other.Logits], Loss + (share * other.Loss), sums);
        }
    }
}
