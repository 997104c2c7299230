using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;
using LoRA2.Native.Tensors.Serialization;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Encoders;

/// <summary>What a model folder may look like, and what is wrong with one.</summary>
public sealed class ModelLoadingTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, SequenceClassifier> originals = [];

    public static TheoryData<string> Families => [.. ConfigText.Types];

    public void Dispose()
    {
        foreach (SequenceClassifier model in originals.Values) model.Dispose();
        folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void ASavedModelIsTheSame(string type)
    {
        Write(type);
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder.Path);
        Assert.Empty(model.InitialisedParameters);
        AssertSame(type, model);
    }

    [Fact]
    public void OfANameThatAConfigHasTwiceTheLastValueCountsAndTheModelCanBeSaved()
    {
        Write("bert");
        string config = File.ReadAllText(folder.File("config.json"));
        folder.Write("config.json", config[..config.LastIndexOf('}')] + """, "layer_norm_eps": 1, "layer_norm_eps": 0.25, "label2id": {"no": 0, "no": 0}}""");
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder.Path);
        Assert.Equal(0.25, model.Config.LayerNormEpsilon);
        using var saved = new TemporaryFolder();
        ModelFolder.Save(model, folder.Path, saved.Path);
        EncoderConfig again = EncoderConfigReader.FromFolder(saved.Path);
        Assert.Equal(0.25, again.LayerNormEpsilon);
        Assert.Equal(model.Config.LabelNames, again.LabelNames);
    }

    [Fact]
    public void AConfigsStringThatNoFileCanHaveIsTheInputsFault()
    {
        Write("bert");
        string config = File.ReadAllText(folder.File("config.json"));
        folder.Write("config.json", config[..config.LastIndexOf('}')] + """, "_name_or_path": "\ud800"}""");
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder.Path);
        using var saved = new TemporaryFolder();
        Assert.Contains("not valid Unicode", Assert.Throws<InputException>(() => ModelFolder.Save(model, folder.Path, saved.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void AnIndexAndShards(string type)
    {
        SequenceClassifier original = Original(type);
        var map = new List<string>();
        foreach ((int shard, Parameter[] parameters) in original.BaseParameters.Chunk(10).Index())
        {
            var writer = new SafetensorsWriter();
            string name = $"model-{shard}.safetensors";
            foreach (Parameter parameter in parameters)
            {
                writer.Add(parameter.Name, parameter.Value);
                map.Add($"\"{parameter.Name}\": \"{name}\"");
            }

            writer.Write(folder.File(name));
        }

        folder.Write("model.safetensors.index.json", $$"""{"weight_map": { {{string.Join(", ", map)}} } }""");
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder.Path);
        AssertSame(type, model);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void ABareEncoderHasNoPrefixAndNoHead(string type)
    {
        string prefix = Original(type).Config.Prefix + ".";
        Write(type, rename: name => name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : null);
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder.Path, seed: 5);
        string[] initialised = [.. model.InitialisedParameters];
        IEnumerable<string> head = Original(type).Head.Parameters.Select(parameter => parameter.Name).Where(name => !name.StartsWith(prefix, StringComparison.Ordinal));
        Assert.NotEmpty(initialised);
        Assert.Equal(head, initialised);
        AssertSame(type, model, except: initialised);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void NamesAsDataParallelismSavesThem(string type)
    {
        Write(type, rename: name => $"module.{name}");
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder.Path);
        Assert.Empty(model.InitialisedParameters);
        AssertSame(type, model);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void OldNamesOfTheLayerNorm(string type)
    {
        Write(type, rename: name => name.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal).Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal));
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder.Path);
        AssertSame(type, model);
    }

    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    [InlineData(DType.Float32)]
    public void HalfPrecisionWeights(DType dtype)
    {
        Write("deberta-v2", dtype: dtype);
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder.Path);
        foreach ((Parameter expected, Parameter found) in Original("deberta-v2").BaseParameters.Zip(model.BaseParameters))
        {
            float[] values = expected.Value.ToArray<float>();
            Assert.Equal(DType.Float32, found.Value.DType);
            Assert.Equal(Array.ConvertAll(values, value => Rounded(value, dtype)), found.Value.ToArray<float>());
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void AnotherNumberOfLabelsInitialisesTheClassifier(string type)
    {
        Write(type);
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder.Path, config => config with { Labels = 5, LabelNames = null }, seed: 7);
        string last = model.Head.Classifier!.Name;
        Assert.Equal([$"{last}.weight", $"{last}.bias"], model.InitialisedParameters);
        AssertSame(type, model, except: [.. model.InitialisedParameters]);
        Assert.Equal([5, model.Config.HiddenSize], model.Head.Classifier!.Weight.Value.Shape);
        Assert.All(model.Head.Classifier!.Bias!.Value.ToArray<float>(), value => Assert.Equal(0, value));
        float[] weights = model.Head.Classifier!.Weight.Value.ToArray<float>();
        Assert.Contains(weights, value => Math.Abs(value) > 0.1);
        using (var scope = new TensorScope()) Assert.Equal([2, 5], Logits(model).Shape);

        using SequenceClassifier again = SequenceClassifier.FromFolder(folder.Path, config => config with { Labels = 5, LabelNames = null }, seed: 7);
        Assert.Equal(weights, again.Head.Classifier!.Weight.Value.ToArray<float>());
        using SequenceClassifier other = SequenceClassifier.FromFolder(folder.Path, config => config with { Labels = 5, LabelNames = null }, seed: 8);
        Assert.NotEqual(weights, other.Head.Classifier!.Weight.Value.ToArray<float>());
    }

    [Theory]
    [InlineData("bert", "bert.embeddings.token_type_embeddings.weight", "[2, 8]")]
    [InlineData("roberta", "roberta.encoder.layer.1.output.LayerNorm.bias", "[8]")]
    [InlineData("deberta-v2", "deberta.encoder.rel_embeddings.weight", "[16, 8]")]
    [InlineData("deberta-v2", "deberta.encoder.LayerNorm.weight", "[8]")]
    public void AMissingTensorOfTheEncoder(string type, string tensor, string shape)
    {
        Write(type, rename: name => name == tensor ? null : name);
        var e = Assert.Throws<InputException>(() => SequenceClassifier.FromFolder(folder.Path));
        Assert.Equal($"{folder.File("model.safetensors")}: tensor '{tensor}' {shape} is missing", e.Message);
    }

    [Theory]
    [InlineData("bert", "intermediate_size", "12", "bert.encoder.layer.0.intermediate.dense.weight", "[16, 8]", "[12, 8]")]
    [InlineData("roberta", "vocab_size", "49", "roberta.embeddings.word_embeddings.weight", "[50, 8]", "[49, 8]")]
    [InlineData("deberta-v2", "position_buckets", "4", "deberta.encoder.rel_embeddings.weight", "[16, 8]", "[8, 8]")]
    public void AWrongShape(string type, string field, string value, string tensor, string found, string expected)
    {
        Write(type);
        folder.Write("config.json", ConfigText.With(type, field, value).ToJsonString());
        var e = Assert.Throws<InputException>(() => SequenceClassifier.FromFolder(folder.Path));
        Assert.Equal($"{folder.File("model.safetensors")}: tensor '{tensor}' has shape {found}; {expected} was expected from config.json", e.Message);
    }

    [Fact]
    public void NoWeights()
    {
        folder.Write("config.json", ConfigText.Of("bert").ToJsonString());
        var e = Assert.Throws<InputException>(() => SequenceClassifier.FromFolder(folder.Path));
        Assert.StartsWith($"{folder.Path}: no weights found", e.Message);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void ABatchLongerThanTheModel(string type)
    {
        using var scope = new TensorScope();
        SequenceClassifier model = Original(type);
        int length = model.Config.MaxPositions + 1;
        var batch = new EncoderBatch(Tensor.Full([1, length], 5, DType.Int32), Tensor.Full([1, length], 1, DType.Int32));
        if (model.Config.LongestInput == int.MaxValue) Assert.Equal([1, 3], model.Forward(batch, ForwardContext.Inference).Shape);
        else Assert.Contains($"a batch of {length} tokens is longer than the model's", Assert.Throws<ArgumentException>(() => model.Forward(batch, ForwardContext.Inference)).Message);
    }

    private static Tensor Logits(SequenceClassifier model)
    {
        Tensor ids = Tensor.From([2, 9, 17, 3, 4, 41, 3, 0], [2, 4]);
        Tensor mask = Tensor.From([1, 1, 1, 1, 1, 1, 1, 0], [2, 4]);
        return model.Forward(new EncoderBatch(ids, mask), ForwardContext.Inference);
    }

    private static float Rounded(float value, DType dtype)
    {
        if (dtype == DType.Float16) return (float)(Half)value;
        if (dtype == DType.Float32) return value;
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }

    /// <summary>A model of the family with random weights, biases and gains too.</summary>
    private SequenceClassifier Original(string type)
    {
        if (originals.TryGetValue(type, out SequenceClassifier? made)) return made;
        folder.Write("config.json", ConfigText.Of(type).ToJsonString());
        SequenceClassifier model = SequenceClassifier.Create(EncoderConfigReader.FromFolder(folder.Path), seed: 3);
        foreach ((int i, Parameter parameter) in model.BaseParameters.Index()) new Philox(4, (uint)i).FillNormal(parameter.Value.AsSpan<float>(), 0.1f, 0.5f);
        return originals[type] = model;
    }

    private void Write(string type, Func<string, string?>? rename = null, DType dtype = DType.Float32)
    {
        var writer = new SafetensorsWriter();
        foreach (Parameter parameter in Original(type).BaseParameters)
        {
            if ((rename is null ? parameter.Name : rename(parameter.Name)) is { } name) writer.Add(name, parameter.Value, dtype);
        }

        writer.Write(folder.File("model.safetensors"));
    }

    private void AssertSame(string type, SequenceClassifier model, params string[] except)
    {
        SequenceClassifier original = Original(type);
        Assert.Equal(original.BaseParameters.Select(parameter => parameter.Name), model.BaseParameters.Select(parameter => parameter.Name));
        foreach ((Parameter expected, Parameter found) in original.BaseParameters.Zip(model.BaseParameters))
        {
            if (!except.Contains(found.Name)) Assert.Equal(expected.Value.ToArray<float>(), found.Value.ToArray<float>());
        }

        if (except.Length > 0) return;
        using var scope = new TensorScope();
        Assert.Equal(Logits(original).ToArray<float>(), Logits(model).ToArray<float>());
    }
}
