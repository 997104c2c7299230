using System.Text.Json;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tokenizers.Tests;

/// <summary>Where every token is in its text, exactly as HuggingFace's Rust tokenizers have it: texts, pairs, cut inputs and lists of words.</summary>
public class OffsetGoldenTests
{
    [GoldenFact("tokenizers_hf/mpnet")]
    public void WordPieceOfATokenizerJson() => Compare("mpnet/hf_fast.json", Tokenizer.FromFolder(GoldenFolder.At("tokenizers_hf", "mpnet")));

    [GoldenFact("tokenizers_hf/modernbert")]
    public void ByteLevelOfATokenizerJson() => Compare("modernbert/hf_fast.json", Tokenizer.FromFolder(GoldenFolder.At("tokenizers_hf", "modernbert")));

    [GoldenFact("tokenizers_hf/xlm_roberta")]
    public void UnigramOfATokenizerJson() => Compare("xlm_roberta/hf_fast.json", Tokenizer.FromFolder(GoldenFolder.At("tokenizers_hf", "xlm_roberta")));

    [GoldenFact("tokenizers_hf/bert_uncased.json", "shared:data/tokenizers")]
    public void RealBert() => Compare("bert_uncased.json", Tokenizer.FromFolder(Real("bert-base-uncased")));

    [GoldenFact("tokenizers_hf/bert_uncased.json", "shared:data/tokenizers")]
    public void RealBertFromItsVocabulary()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(Real("bert-base-uncased"), "vocab.txt"), Path.Combine(folder.Path, "vocab.txt"));
        Compare("bert_uncased.json", Tokenizer.FromFolder(folder.Path), onlySameIds: true);
    }

    [GoldenFact("tokenizers_hf/roberta.json", "shared:data/tokenizers")]
    public void RealRoberta() => Compare("roberta.json", Tokenizer.FromFolder(Real("roberta")));

    [GoldenFact("tokenizers_hf/deberta_v3.json", "shared:data/tokenizers")]
    public void RealDeberta() => Compare("deberta_v3.json", Tokenizer.FromFolder(Real("deberta-v3")), onlySameIds: true);

    private static string Real(string name) => Path.Combine(GoldenFolder.Shared!, "data", "tokenizers", name);

    /// <param name="file">The vectors.</param>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="onlySameIds">
    /// Whether vectors whose ids are the fast tokenizer's alone are passed over: the tokenizer is the slow one, which divides a few of the texts another way.
    /// </param>
    private static void Compare(string file, Tokenizer tokenizer, bool onlySameIds = false)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(GoldenFolder.At("tokenizers_hf", file)));
        var (messages, compared, passedOver) = (new List<string>(), 0, 0);
        void Case(JsonElement vector, PlacedInput found, Func<int, string> textOf, string what)
        {
            int[] ids = [.. vector.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            if (!ids.SequenceEqual(found.Ids))
            {
                passedOver++;
                if (!onlySameIds)
                    messages.Add($"{what}\n  ids {string.Join(' ', ids)}\n      {string.Join(' ', found.Ids)}");
                return;
            }

            compared++;
            var offsets = vector.GetProperty("offsets").EnumerateArray().Select(pair => (pair[0].GetInt32(), pair[1].GetInt32())).ToArray();
            var places = found.Places.Select((place, i) => place.IsSpecial ? (0, 0) : (CodePoints(textOf(i), place.Start), CodePoints(textOf(i), place.End))).ToArray();
            int?[]? words = vector.TryGetProperty("words", out var list) ? [.. list.EnumerateArray().Select(word => word.ValueKind == JsonValueKind.Null ? (int?)null : word.GetInt32())] : null;
            var ours = found.Places.Select(place => place.IsSpecial ? (int?)null : place.Word);
            if (!offsets.SequenceEqual(places))
                messages.Add($"{what}\n  tokens   {string.Join(' ', found.Tokens)}\n  expected {string.Join(' ', offsets)}\n  found    {string.Join(' ', places)}");
            else if (words is not null && !words.SequenceEqual(ours))
                messages.Add($"{what}\n  tokens {string.Join(' ', found.Tokens)}\n  words    {string.Join(' ', words)}\n  found    {string.Join(' ', ours)}");
        }

        foreach (var vector in document.RootElement.GetProperty("texts").EnumerateArray())
        {
            var text = vector.GetProperty("text").GetString()!;
            Case(vector, tokenizer.EncodePlaced(text), _ => text, text);
        }

        foreach (var name in (string[])["pairs", "truncated"])
        {
            foreach (var vector in document.RootElement.GetProperty(name).EnumerateArray())
            {
                var (first, second) = (vector.GetProperty("text").GetString()!, vector.GetProperty("pair").GetString());
                var found = tokenizer.EncodePlaced(first, second, vector.TryGetProperty("max_length", out var most) ? most.GetInt32() : int.MaxValue);
                Case(vector, found, i => found.Places[i].Sequence == 1 ? second! : first, $"{name}: {first} | {second}");
            }
        }

        foreach (var vector in document.RootElement.GetProperty("words").EnumerateArray().Where(vector => vector.ValueKind == JsonValueKind.Object))
        {
            string[] words = [.. vector.GetProperty("words_in").EnumerateArray().Select(word => word.GetString()!)];
            var found = tokenizer.EncodeWords(words);
            // The vectors have no special tokens around the words.
            int[] own = [.. Enumerable.Range(0, found.Ids.Length).Where(i => !found.Places[i].IsSpecial)];
            var inside = new PlacedInput([.. own.Select(i => found.Ids[i])], [], [.. own.Select(i => found.Tokens[i])], [.. own.Select(i => found.Places[i])], false);
            Case(vector, inside, i => words[inside.Places[i].Word], $"words: {string.Join(' ', words)}");
        }

        Assert.True(compared > 150, $"{compared} vectors were compared");
        Assert.True(messages.Count == 0, $"{messages.Count} of {compared} differ, {passedOver} have other ids:\n{string.Join('\n', messages.Take(12))}");
    }

    private static int CodePoints(string text, int index) => text.AsSpan(0, index).ToString().EnumerateRunes().Count();
}
