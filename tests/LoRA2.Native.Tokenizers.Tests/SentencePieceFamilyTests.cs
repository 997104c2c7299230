using System.Text.Json;
using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tokenizers.Tests;

/// <summary>A SentencePiece model is what its folder's tokenizer_class says: against SentencePiece itself, with the numbers and the steps before it that HuggingFace's classes have.</summary>
public class SentencePieceFamilyTests
{
    private static readonly string Fixtures = Path.Combine(SharedData.Repository, "tests", "Fixtures", "sentencepiece");

    [GoldenFact("tokenizers_hf/xlm_roberta")]
    public void XlmRobertaCountsAsFairseqDoes()
    {
        var golden = GoldenFolder.At("tokenizers_hf", "xlm_roberta");
        using var folder = Folder(Path.Combine(golden, "sentencepiece.bpe.model"), "sentencepiece.bpe.model", "{\"tokenizer_class\": \"XLMRobertaTokenizer\"}");
        var tokenizer = Tokenizer.FromFolder(folder.Path);
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(golden, "hf_fast.json")));
        Assert.Equal(document.RootElement.GetProperty("vocab").GetInt32(), tokenizer.VocabularySize);
        var (compared, messages) = (0, new List<string>());
        // Equally likely splits ("aaaaaa") fall another way in the Rust library.
        var ties = new HashSet<string>();
        foreach (var vector in document.RootElement.GetProperty("texts").EnumerateArray())
        {
            var text = vector.GetProperty("text").GetString()!;
            int[] fast = [.. vector.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            // A special token in a text is one for the class, and text for SentencePiece.
            var own = vector.GetProperty("sentencepiece_ids");
            int[] expected = own.ValueKind == JsonValueKind.String || text.Contains("<s>", StringComparison.Ordinal) || text.Contains("mask>", StringComparison.Ordinal) || text == "<unk>"
                ? fast : [0, .. own.EnumerateArray().Select(id => id.GetInt32()), 2];
            if (!expected.SequenceEqual(fast))
                ties.Add(text);
            var found = tokenizer.Encode(text);
            if (!expected.SequenceEqual(found))
                messages.Add($"{text}\n  {string.Join(' ', expected)}\n  {string.Join(' ', found)}");
            compared++;
        }

        foreach (var vector in document.RootElement.GetProperty("pairs").EnumerateArray())
        {
            var (first, second) = (vector.GetProperty("text").GetString()!, vector.GetProperty("pair").GetString()!);
            int[] expected = [.. vector.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            if (ties.Contains(first) || ties.Contains(second))
                continue;
            var found = tokenizer.EncodePlaced(first, second);
            if (!expected.SequenceEqual(found.Ids) || found.TypeIds.Any(type => type != 0))
                messages.Add($"{first} | {second}\n  {string.Join(' ', expected)}\n  {string.Join(' ', found.Ids)}");
            compared++;
        }

        Assert.True(compared > 200 && ties.Count < 6, $"{compared} vectors were compared, {ties.Count} texts have ties");
        Assert.True(messages.Count == 0, $"{messages.Count} of {compared} differ:\n{string.Join('\n', messages.Take(8))}");
    }

    [Theory]
    [InlineData("default", "")]
    [InlineData("keep_accents", ", \"keep_accents\": true")]
    [InlineData("cased", ", \"do_lower_case\": false")]
    [InlineData("spaces", ", \"remove_space\": false")]
    public void AlbertLosesCapitalsAccentsAndSpacesAndDividesCommasFromDigits(string ids, string settings)
    {
        using var folder = Folder(Path.Combine(Fixtures, "albert.model"), "spiece.model", $"{{\"tokenizer_class\": \"AlbertTokenizer\"{settings}}}");
        var tokenizer = Tokenizer.FromFolder(folder.Path);
        Compare("albert.json", ids, tokenizer);
        Assert.Equal([2, .. tokenizer.Encode("9,", addSpecialTokens: false), 3], tokenizer.Encode("9,"));
        var pair = tokenizer.EncodePlaced("orchard", "9,");
        Assert.Equal([.. tokenizer.Encode("orchard"), .. tokenizer.Encode("9,")[1..]], pair.Ids);
        Assert.Equal(pair.Ids.Length - tokenizer.Encode("orchard").Length, pair.TypeIds.Sum());
        Assert.Equal(4, tokenizer.Encode("the [MASK] river").Single(id => id == 4));
    }

    [Fact]
    public void AlbertsTokensAreWhereTheirTextIs()
    {
        using var folder = Folder(Path.Combine(Fixtures, "albert.model"), "spiece.model", "{\"tokenizer_class\": \"AlbertTokenizer\"}");
        const string text = "  Anaïs  keeps 12,345 (½) ``letters'' ";
        var placed = Tokenizer.FromFolder(folder.Path).EncodePlaced(text);
        var found = placed.Tokens.Zip(placed.Places).Where(token => !token.Second.IsSpecial).Select(token => (token.First.Replace("▁", "", StringComparison.Ordinal), text[token.Second.Start..token.Second.End].Trim())).Where(token => token.Item1.Length > 0);
        Assert.All(found, token => Assert.Equal(token.Item1, token.Item2.Replace("ï", "i", StringComparison.Ordinal).Replace("A", "a", StringComparison.Ordinal).Replace("``", "\"", StringComparison.Ordinal).Replace("''", "\"", StringComparison.Ordinal) is var plain && plain == "½" ? token.Item1 : plain));
    }

    [Fact]
    public void CamembertCountsAsFairseqDoesAndUsesTheModelsSpecialTokens()
    {
        using var folder = Folder(Path.Combine(Fixtures, "camembert.model"), "sentencepiece.bpe.model", "{\"tokenizer_class\": \"CamembertTokenizer\"}");
        var tokenizer = Tokenizer.FromFolder(folder.Path);
        Compare("camembert.json", "ids", tokenizer);
        // <s> and </s> are the pieces 1 and 2 of the model, 4 behind their places; <mask> is behind all.
        Assert.Equal([5, .. tokenizer.Encode("river", addSpecialTokens: false), 6], tokenizer.Encode("river"));
        Assert.Equal([5, .. tokenizer.Encode("river", addSpecialTokens: false), 6, 6, .. tokenizer.Encode("garden", addSpecialTokens: false), 6], tokenizer.EncodePlaced("river", "garden").Ids);
        Assert.Equal((1, 424), (tokenizer.PadId, tokenizer.MaskId));
        Assert.Contains(424, tokenizer.Encode("the <mask> river"));
    }

    [Theory]
    [InlineData("sentencepiece.bpe.model", "{\"tokenizer_class\": \"MBartTokenizer\"}", "belongs to tokenizer_class MBartTokenizer; expected XLMRobertaTokenizer, CamembertTokenizer, AlbertTokenizer or DebertaV2Tokenizer, or a tokenizer.json")]
    [InlineData("spiece.model", "{\"tokenizer_class\": \"T5Tokenizer\"}", "belongs to tokenizer_class T5Tokenizer")]
    [InlineData("spiece.model", "{}", "does not say what it belongs to")]
    [InlineData("sentencepiece.bpe.model", "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}", "does not say what it belongs to")]
    public void AModelOfAnotherClassOrOfNoneIsRefused(string file, string config, string sentence)
    {
        using var folder = Folder(Path.Combine(Fixtures, "camembert.model"), file, config);
        Assert.Contains(sentence, Assert.Throws<InputException>(() => Tokenizer.FromFolder(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheModelsTypeDecidesWhereNoClassIsNamed()
    {
        using var folder = Folder(Path.Combine(Fixtures, "camembert.model"), "sentencepiece.bpe.model", "{}");
        File.WriteAllText(Path.Combine(folder.Path, "config.json"), "{\"model_type\": \"camembert\"}");
        Assert.Equal(5, Tokenizer.FromFolder(folder.Path).Encode("river")[0]);
    }

    private static TemporaryFolder Folder(string model, string name, string config)
    {
        var folder = TinyModels.Folder(("tokenizer_config.json", config));
        File.Copy(model, Path.Combine(folder.Path, name));
        return folder;
    }

    private static void Compare(string file, string field, Tokenizer tokenizer)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Fixtures, file)));
        foreach (var vector in document.RootElement.GetProperty("texts").EnumerateArray())
        {
            var text = vector.GetProperty("text").GetString()!;
            int[] expected = [.. vector.GetProperty(field).EnumerateArray().Select(id => id.GetInt32())];
            var found = tokenizer.Encode(text, addSpecialTokens: false);
            Assert.True(expected.SequenceEqual(found), $"{text}\n  {string.Join(' ', expected)}\n  {string.Join(' ', found)}");
        }
    }
}
