using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Onnx;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Tests.Onnx;

/// <summary>Encoders that PyTorch's exporter wrote (tests/Fixtures/onnx/make.py), against the weights that it was given and what PyTorch computes with them.</summary>
public sealed class OnnxImportTests : IDisposable
{
    private static readonly string Fixtures = Path.Combine(SharedData.Repository, "tests", "Fixtures", "onnx");
    private static readonly string Vocabulary = Path.Combine(Fixtures, "vocab.txt");

    // What make.py fed the models.
    private static readonly int[] Ids = [2, 7, 9, 4, 3, 0, 2, 11, 5, 19, 8, 3];
    private static readonly int[] Mask = [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1];

    private readonly TemporaryFolder folder = new();

    private string Output => folder.File("out");

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("bert/model.onnx", "bert", "bert")]
    [InlineData("bert/unfolded.onnx", "bert", "bert")]
    [InlineData("bert/nameless.onnx", "bert", "bert")]
    [InlineData("bert/wrapped.onnx", "bert", "bert")]
    [InlineData("external/model.onnx", "bert", "bert")]
    [InlineData("roberta/model.onnx", "roberta", "roberta")]
    [InlineData("classifier/model.onnx", "classifier", "bert")]
    [InlineData("distilbert/model.onnx", "distilbert", "distilbert")]
    public void TheWeightsAreThoseThatWereExportedBitForBit(string file, string original, string family)
    {
        OnnxImportResult result = Import(file);
        Assert.Empty(result.LeftOut);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(Fixtures, original, "weights.safetensors")), written = SafetensorsFile.Open(Path.Combine(Output, "model.safetensors"));
        Dictionary<string, SafetensorsEntry> weights = expected.Entries.Where(entry => entry.Name != "expected").ToDictionary(entry => entry.Name);
        // The wrapped encoder returns its hidden states alone: its graph has no pooler.
        if (file == "bert/wrapped.onnx") weights = weights.Where(weight => !weight.Key.StartsWith("pooler.", StringComparison.Ordinal)).ToDictionary();
        Assert.Equal(weights.Keys.Order(StringComparer.Ordinal), written.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        foreach (SafetensorsEntry entry in written.Entries)
        {
            Assert.Equal(SafetensorsDType.F32, entry.Type);
            Assert.Equal(weights[entry.Name].Shape.ToArray(), entry.Shape.ToArray());
            Assert.True(expected.GetBytes(weights[entry.Name]).SequenceEqual(written.GetBytes(entry)), entry.Name);
        }

        EncoderConfig config = EncoderConfigReader.FromFolder(Output);
        Assert.Equal((family, 20, 8, 2, 2, 12, 10), (config.ModelType, config.VocabularySize, config.HiddenSize, config.Layers, config.Heads, config.IntermediateSize, config.MaxPositions));
        Assert.Equal(family == "roberta" ? Activation.Relu : Activation.Gelu, config.HiddenActivation);
        Assert.Equal(family switch { "roberta" => 1, "distilbert" => 0, _ => 2 }, config.TypeVocabularySize);
        Assert.Equal(1e-12, config.LayerNormEpsilon);
        Assert.Equal(family == "roberta" ? 1 : 0, config.PadTokenId);
        Assert.Empty(config.UnknownFields);
        Assert.Equal(20, Tokenizer.FromFolder(Output).VocabularySize);
    }

    [Theory]
    [InlineData("bert")]
    [InlineData("roberta")]
    [InlineData("distilbert")]
    public void TheHiddenStatesArePyTorchs(string name)
    {
        Import($"{name}/model.onnx");
        using var scope = new TensorScope();
        using SequenceClassifier model = SequenceClassifier.FromFolder(Output);
        var context = new ForwardContext { HiddenStates = [] };
        model.Forward(Batch(name == "roberta"), context);
        float[] expected = Expected(name), found = context.HiddenStates[^1].ToArray<float>();
        for (int i = 0; i < expected.Length; i++)
        {
            if (Mask[i / 8] == 1) Assert.Equal(expected[i], found[i], 2e-5f);
        }
    }

    [Fact]
    public void AClassifiersLogitsArePyTorchs()
    {
        Import("classifier/model.onnx");
        using var scope = new TensorScope();
        using SequenceClassifier model = SequenceClassifier.FromFolder(Output);
        Assert.Equal(3, model.Config.Labels);
        Assert.Empty(model.InitialisedParameters);
        float[] expected = Expected("classifier"), found = model.Forward(Batch(false), new ForwardContext()).ToArray<float>();
        Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 2e-5f));
    }

    [Fact]
    public void Float16InWholeNumbersAndFloatsWithoutRawBytesAreRead()
    {
        Import("bert/half.onnx");
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(Fixtures, "bert", "weights.safetensors")), written = SafetensorsFile.Open(Path.Combine(Output, "model.safetensors"));
        foreach (SafetensorsEntry entry in written.Entries)
        {
            Assert.Equal(entry.Shape.Length == 2 ? SafetensorsDType.F16 : SafetensorsDType.F32, entry.Type);
            AssertRounded(expected, written, entry);
        }

        Assert.Contains("\"torch_dtype\": \"float16\"", File.ReadAllText(Path.Combine(Output, "config.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void WeightsAreRoundedToTheTypeAskedFor()
    {
        OnnxImport.Import(At("bert/model.onnx"), Output, new OnnxImportOptions { Vocabulary = Vocabulary, DType = DType.BFloat16 });
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(Fixtures, "bert", "weights.safetensors")), written = SafetensorsFile.Open(Path.Combine(Output, "model.safetensors"));
        foreach (SafetensorsEntry entry in written.Entries)
        {
            Assert.Equal(SafetensorsDType.BF16, entry.Type);
            AssertRounded(expected, written, entry);
        }
    }

    [Fact]
    public void AConfigThatIsGivenIsTakenAndComparedWithTheGraph()
    {
        Import("bert/model.onnx");
        string config = Path.Combine(Output, "config.json"), text = File.ReadAllText(config);
        string dropped = folder.Write("dropped.json", text.Replace("\"hidden_dropout_prob\": 0.1", "\"hidden_dropout_prob\": 0.3", StringComparison.Ordinal));
        OnnxImportResult result = OnnxImport.Import(At("bert/model.onnx"), folder.File("again"), new OnnxImportOptions { Vocabulary = Vocabulary, Config = dropped });
        Assert.Equal((0.3, dropped), (result.Config.HiddenDropout, result.ConfigSource));

        string heads = folder.Write("heads.json", text.Replace("\"num_attention_heads\": 2", "\"num_attention_heads\": 4", StringComparison.Ordinal));
        Refused("the graph has 2 attention heads and the config 4", "bert/model.onnx", new OnnxImportOptions { Vocabulary = Vocabulary, Config = heads });
        string wide = folder.Write("wide.json", text.Replace("\"intermediate_size\": 12", "\"intermediate_size\": 16", StringComparison.Ordinal));
        Refused("intermediate.dense.weight' has shape [12, 8]; [16, 8] was expected", "bert/model.onnx", new OnnxImportOptions { Vocabulary = Vocabulary, Config = wide });
        string deep = folder.Write("deep.json", text.Replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", StringComparison.Ordinal));
        Refused("tensor 'bert.encoder.layer.2.attention.self.query.weight' [8, 8] is missing", "bert/model.onnx", new OnnxImportOptions { Vocabulary = Vocabulary, Config = deep });
        Refused("--heads is 4; the graph has 2", "bert/model.onnx", new OnnxImportOptions { Vocabulary = Vocabulary, Heads = 4 });
    }

    [Fact]
    public void AGraphThatIsNoEncoderAndATokenizerThatIsNotItsOwnAreRefused()
    {
        var options = new OnnxImportOptions { Vocabulary = Vocabulary };
        Refused("no layer of an encoder was found", "perceptron/model.onnx", options);
        Refused("there is no tokenizer beside it", "bert/model.onnx", new OnnxImportOptions());
        Refused("does not exist", "bert/model.onnx", new OnnxImportOptions { Vocabulary = folder.File("none.txt") });
        string large = folder.Write("vocab.txt", File.ReadAllText(Vocabulary) + "more\n");
        Refused("the tokenizer has 21 tokens and the encoder's table 20 rows", "bert/model.onnx", new OnnxImportOptions { Vocabulary = large });
        Assert.False(Directory.Exists(Output));
    }

    [Fact]
    public void ExternalDataAreReadWithinTheModelsFolderOnly()
    {
        var options = new OnnxImportOptions { Vocabulary = Vocabulary };
        byte[] model = File.ReadAllBytes(At("external/model.onnx"));
        string path = folder.Write("model.onnx", model);
        Assert.Contains("weights.bin, which does not exist", Refused(path, options), StringComparison.Ordinal);
        byte[] weights = File.ReadAllBytes(At("external/weights.bin"));
        folder.Write("weights.bin", weights[..^16]);
        Assert.Contains("the file has", Refused(path, options), StringComparison.Ordinal);
        folder.Write("weights.bin", weights);
        OnnxImport.Import(path, Output, options);
        byte[] outside = System.Text.Encoding.Latin1.GetBytes(System.Text.Encoding.Latin1.GetString(model).Replace("weights.bin", "../ghts.bin", StringComparison.Ordinal));
        Assert.Contains("a path within the model's folder was expected", Refused(folder.Write("model.onnx", outside), options), StringComparison.Ordinal);
    }

    [Fact]
    public void FilesThatWereCutShortOrDamagedEndInASentence()
    {
        byte[] model = File.ReadAllBytes(At("bert/model.onnx"));
        var options = new OnnxImportOptions { Vocabulary = Vocabulary };
        for (int length = 0; length < model.Length; length += 491) Refused(folder.Write("cut.onnx", model[..length]), options);
        var random = new Random(5);
        for (int i = 0; i < 300; i++)
        {
            byte[] damaged = [.. model];
            for (int j = random.Next(4); j >= 0; j--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                OnnxImport.Import(folder.Write("damaged.onnx", damaged), folder.File("damaged"), options);
            }
            catch (InputException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    private static string At(string name) => Path.Combine(Fixtures, name);

    private OnnxImportResult Import(string file) => OnnxImport.Import(At(file), Output, new OnnxImportOptions { Vocabulary = Vocabulary });

    private void Refused(string expected, string file, OnnxImportOptions options) => Assert.Contains(expected, Refused(At(file), options), StringComparison.Ordinal);

    private string Refused(string path, OnnxImportOptions options) => Assert.Throws<InputException>(() => OnnxImport.Import(path, Output, options)).Message;

    private static EncoderBatch Batch(bool countsTokens) => new(Tensor.From<int>([.. Ids.Select(id => countsTokens ? Math.Max(id, 1) : id)], [2, 6]), Tensor.From(Mask, [2, 6]));

    private static float[] Expected(string name)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(Fixtures, name, "weights.safetensors"));
        SafetensorsEntry entry = file.GetEntry("expected");
        float[] values = new float[entry.ElementCount];
        file.ReadFloat32(entry, values);
        return values;
    }

    private static void AssertRounded(SafetensorsFile expected, SafetensorsFile written, SafetensorsEntry entry)
    {
        float[] values = new float[entry.ElementCount];
        expected.ReadFloat32(expected.GetEntry(entry.Name), values);
        byte[] rounded = new byte[entry.ByteLength];
        ElementConversion.FromFloat32(values, entry.Type, rounded);
        Assert.True(written.GetBytes(entry).SequenceEqual(rounded), entry.Name);
    }
}
