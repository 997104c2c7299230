using System.Text.Json.Nodes;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tokenizers.Tests;

/// <summary>What makes other tokens has another fingerprint, and what makes none has the same.</summary>
public sealed class TokenizerFingerprintTests
{
    /// <summary>A tokenizer.json that says how long a batch was is the same one.</summary>
    [Fact]
    public void PaddingAndTruncationOfATokenizerJsonAreNoOthers()
    {
        string source = Directory.GetDirectories(Path.Combine(SharedData.Repository, "tests", "Fixtures"), "*", SearchOption.AllDirectories).First(path => File.Exists(Path.Combine(path, "tokenizer.json")));
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "tokenizer.json");
        JsonObject json = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "tokenizer.json")))!.AsObject();
        string? Written(Action change)
        {
            change();
            File.WriteAllText(file, json.ToJsonString());
            return TokenizerFingerprint.Of(folder.Path);
        }

        string? first = Written(() => { });
        Assert.NotNull(first);
        Assert.Equal(first, Written(() => json["truncation"] = JsonNode.Parse("""{"direction": "Right", "max_length": 128, "strategy": "LongestFirst", "stride": 0}""")));
        Assert.Equal(first, Written(() => json["padding"] = null));
        Assert.NotEqual(first, Written(() => json["normalizer"] = JsonNode.Parse("""{"type": "NFC"}""")));
    }
}
