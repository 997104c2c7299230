using System.Text;
using System.Text.Json;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Tokenizers.SentencePiece;

namespace LoRA2.Native.Tokenizers.Tests;

/// <summary>Exact ids and tokens on every vector of the golden folder's tokenizers.</summary>
public class TokenizerGoldenTests
{
    [GoldenFact("tokenizers")]
    public void SentencePieceVectors()
    {
        var failures = new Failures();
        foreach (var file in Directory.GetFiles(GoldenFolder.At("tokenizers"), "*.json", SearchOption.AllDirectories))
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("model", out var model))
                continue;
            var path = Path.Combine(Path.GetDirectoryName(file)!, model.GetString()!);
            var tokenizer = SentencePieceTokenizer.Raw(SentencePieceModelReader.Read(path));
            Assert.Equal(document.RootElement.GetProperty("vocab").GetInt32(), tokenizer.VocabularySize);
            foreach (var vector in document.RootElement.GetProperty("vectors").EnumerateArray())
            {
                var text = vector.GetProperty("text").GetString()!;
                var encoded = tokenizer.EncodeWithTokens(text, addSpecialTokens: false);
                failures.Compare(file, text, Ints(vector, "ids"), encoded.Ids);
                failures.Compare(file, text, Strings(vector, "pieces"), encoded.Tokens);
            }
        }

        failures.Check();
    }

    [GoldenFact("tokenizers")]
    public void HuggingFaceVectors()
    {
        var failures = new Failures();
        foreach (var file in Directory.GetFiles(GoldenFolder.At("tokenizers"), "hf_slow.json", SearchOption.AllDirectories))
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            var root = document.RootElement;
            var tokenizer = LoadWithConfig(Path.GetDirectoryName(file)!, root.GetProperty("class").GetString()!);
            Assert.Equal(root.GetProperty("len").GetInt32(), tokenizer.VocabularySize);
            if (root.TryGetProperty("specials", out var specials))
            {
                Assert.Equal(specials.GetProperty("cls_token").GetInt32(), tokenizer.ClsId);
                Assert.Equal(specials.GetProperty("sep_token").GetInt32(), tokenizer.SepId);
                Assert.Equal(specials.GetProperty("pad_token").GetInt32(), tokenizer.PadId);
                Assert.Equal(specials.GetProperty("unk_token").GetInt32(), tokenizer.UnkId);
                Assert.Equal(specials.GetProperty("mask_token").GetInt32(), tokenizer.MaskId);
            }

            foreach (var vector in root.GetProperty("vectors").EnumerateArray())
                CompareHuggingFace(file, tokenizer, vector, failures);
        }

        failures.Check();
    }

    [GoldenFact("tokenizers/real_vocabularies.json", "shared:data/tokenizers")]
    public void RealVocabularies()
    {
        var folder = Path.Combine(GoldenFolder.Shared!, "data", "tokenizers");
        // These vectors are SentencePiece's own, to which "[MASK]" in a text is text.
        var deberta = SentencePieceTokenizer.Raw(SentencePieceModelReader.Read(Path.Combine(folder, "deberta-v3", "spm.model")));
        var roberta = Tokenizer.FromFolder(Path.Combine(folder, "roberta"));
        var bert = Tokenizer.FromFolder(Path.Combine(folder, "bert-base-uncased"));
        var json = Path.Combine(folder, "bert-base-uncased", "tokenizer.json");
        var bertJson = LoRA2.Native.Tokenizers.Json.TokenizerJson.Load(json, new TokenizerSettings());
        var failures = new Failures();
        using var document = JsonDocument.Parse(File.ReadAllText(GoldenFolder.At("tokenizers", "real_vocabularies.json")));
        foreach (var vector in document.RootElement.EnumerateArray())
        {
            var text = vector.GetProperty("text").GetString()!;
            var encoded = deberta.EncodeWithTokens(text, addSpecialTokens: false);
            failures.Compare("deberta-v3", text, Ints(vector, "deberta_v3_ids"), encoded.Ids);
            failures.Compare("deberta-v3", text, Strings(vector, "deberta_v3_pieces"), encoded.Tokens);
            failures.Compare("roberta", text, Ints(vector, "roberta_ids"), roberta.Encode(text, false));
            failures.Compare("bert", text, Ints(vector, "bert_uncased_ids"), bert.Encode(text, false));
            failures.Compare("bert tokenizer.json", text, Ints(vector, "bert_uncased_ids"), bertJson.Encode(text, false));
        }

        failures.Check();
    }

    private static void CompareHuggingFace(string file, Tokenizer tokenizer, JsonElement vector, Failures failures)
    {
        var text = vector.GetProperty("text").GetString()!;
        failures.Compare(file, text, Strings(vector, "tokens"), tokenizer.Tokenize(text));
        failures.Compare(file, text, Ints(vector, "input_ids"), tokenizer.Encode(text));
        if (!vector.TryGetProperty("pair", out var second))
            return;
        var pair = tokenizer.EncodePair(text, second.GetString());
        failures.Compare(file, text + " / pair", Ints(vector, "pair_ids"), pair.Ids);
        var types = vector.GetProperty("pair_types");
        failures.Compare(
            file, text + " / types", types.ValueKind == JsonValueKind.Null ? new int[pair.Ids.Length] : Ints(vector, "pair_types"), pair.TypeIds);
        var cut = tokenizer.EncodePair(text, second.GetString(), 12);
        var ids = new int[12];
        Array.Fill(ids, tokenizer.PadId!.Value);
        cut.Ids.CopyTo(ids, 0);
        var mask = new int[12];
        cut.AttentionMask.CopyTo(mask, 0);
        failures.Compare(file, text + " / 12", Ints(vector, "pair_trunc12_ids"), ids);
        failures.Compare(file, text + " / 12 mask", Ints(vector, "pair_trunc12_mask"), mask);
    }

    /// <summary>A folder of links to the files, with the configuration that the vectors' class was made with.</summary>
    private static Tokenizer LoadWithConfig(string folder, string madeBy)
    {
        var copy = Directory.CreateTempSubdirectory("lora2-golden-");
        try
        {
            foreach (var name in new[] { "spm.model", "vocab.json", "merges.txt", "vocab.txt", "tokenizer.json" })
            {
                if (File.Exists(Path.Combine(folder, name)))
                    File.Copy(Path.Combine(folder, name), Path.Combine(copy.FullName, name));
            }

            var config = new StringBuilder($"{{\"tokenizer_class\": \"{madeBy.Split('(')[0]}\"");
            foreach (var argument in madeBy.Contains('(') ? madeBy[(madeBy.IndexOf('(') + 1)..^1].Split(", ") : [])
                config.Append($", \"{argument.Split('=')[0]}\": {argument.Split('=')[1].ToLowerInvariant()}");
            File.WriteAllText(Path.Combine(copy.FullName, "tokenizer_config.json"), config.Append('}').ToString());
            return Tokenizer.FromFolder(copy.FullName);
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    private static int[] Ints(JsonElement vector, string name) => [.. vector.GetProperty(name).EnumerateArray().Select(e => e.GetInt32())];

    private static string[] Strings(JsonElement vector, string name) =>
        [.. vector.GetProperty(name).EnumerateArray().Select(e => e.GetString()!)];

    /// <summary>Counts comparisons, so that an empty folder is no success, and shows the first failures.</summary>
    private sealed class Failures
    {
        private readonly List<string> _messages = [];
        private int _compared;

        public void Compare<T>(string source, string text, T[] expected, T[] actual)
        {
            _compared++;
            if (!expected.SequenceEqual(actual))
                _messages.Add($"{source}: {JsonEncodedText.Encode(text)}\n  expected {string.Join(' ', expected)}\n  found    {string.Join(' ', actual)}");
        }

        public void Check()
        {
            Assert.True(_compared > 0, "no vectors were found");
            Assert.True(_messages.Count == 0, $"{_messages.Count} of {_compared} differ:\n{string.Join('\n', _messages.Take(20))}");
        }
    }
}
