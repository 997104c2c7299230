using System.Text.Json;
using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers.Bpe;
using LoRA2.Native.Tokenizers.WordPiece;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>Reads the <c>model</c> of a tokenizer.json.</summary>
internal static class ModelReader
{
    /// <summary>The model, its vocabulary and the name of its type.</summary>
    /// <exception cref="InputException">The model is damaged or of an unknown type.</exception>
    public static (TextModel Model, List<(string Text, int Id)> Vocabulary, string Type) Read(JsonElement model, string where)
    {
        // Files of old versions have no type.
        var type = JsonFile.String(model, "type", where)
            ?? (JsonFile.Get(model, "merges") is not null ? "BPE"
                : JsonFile.Get(model, "max_input_chars_per_word") is not null ? "WordPiece"
                : JsonFile.Get(model, "vocab") is { ValueKind: JsonValueKind.Array } ? "Unigram" : "WordLevel");
        return type switch
        {
            "BPE" => ReadBpe(model, where),
            "WordPiece" => ReadWordPiece(model, where),
            "Unigram" => ReadUnigram(model, where),
            _ => throw new InputException($"{where}.type: is '{type}', which is not supported; expected Unigram, BPE or WordPiece."),
        };
    }

    private static (TextModel, List<(string, int)>, string) ReadWordPiece(JsonElement model, string where)
    {
        var vocabulary = ReadVocabulary(model, where);
        var unknown = JsonFile.String(model, "unk_token", where) ?? "[UNK]";
        var at = vocabulary.FindIndex(t => t.Token == unknown);
        if (at < 0)
            throw new InputException($"{where}.unk_token: '{unknown}' is not in the vocabulary.");
        var prefix = JsonFile.String(model, "continuing_subword_prefix", where) ?? "##";
        var longest = JsonFile.Index(model, "max_input_chars_per_word", where) ?? 100;
        var pieces = new WordPieceModel(vocabulary, prefix, unknown, vocabulary[at].Id, longest);
        return (new WordPieceTextModel(pieces), vocabulary, "WordPiece");
    }

    private static (TextModel, List<(string, int)>, string) ReadUnigram(JsonElement model, string where)
    {
        var list = JsonFile.Expect(JsonFile.Get(model, "vocab"), JsonValueKind.Array, $"{where}.vocab");
        if (list.GetArrayLength() == 0)
            throw new InputException($"{where}.vocab: is empty.");
        var vocabulary = new (string Text, double Score)[list.GetArrayLength()];
        foreach (var (index, item) in list.EnumerateArray().Index())
        {
            var at = $"{where}.vocab[{index}]";
            if (item.ValueKind != JsonValueKind.Array || item.GetArrayLength() != 2)
                throw JsonFile.Unexpected(item, at, "an array of a piece and its score");
            if (item[1].ValueKind != JsonValueKind.Number)
                throw JsonFile.Unexpected(item[1], $"{at}[1]", "a number");
            vocabulary[index] = (JsonFile.Text(item[0], $"{at}[0]"), item[1].GetDouble());
        }

        var unknown = JsonFile.Index(model, "unk_id", where);
        if (unknown >= vocabulary.Length)
            throw new InputException($"{where}.unk_id: is {unknown}; expected an id below {vocabulary.Length}.");
        var pieces = new RustUnigramModel(vocabulary, unknown, JsonFile.Bool(model, "byte_fallback", where) ?? false, where);
        return (pieces, [.. vocabulary.Select((v, i) => (v.Text, i))], "Unigram");
    }

    private static (TextModel, List<(string, int)>, string) ReadBpe(JsonElement model, string where)
    {
        if (JsonFile.Get(model, "dropout") is { ValueKind: JsonValueKind.Number } dropout && dropout.GetDouble() != 0)
            throw new InputException($"{where}.dropout: is {dropout.GetRawText()}, which makes ids random; expected null or 0.");
        var vocabulary = ReadVocabulary(model, where);
        var merges = new List<(string, string)>();
        var list = JsonFile.Expect(JsonFile.Get(model, "merges"), JsonValueKind.Array, $"{where}.merges");
        foreach (var (index, item) in list.EnumerateArray().Index())
            merges.Add(ReadMerge(item, $"{where}.merges[{index}]"));
        var options = new BpeOptions
        {
            UnknownToken = JsonFile.String(model, "unk_token", where),
            ContinuingPrefix = JsonFile.String(model, "continuing_subword_prefix", where) ?? "",
            EndOfWordSuffix = JsonFile.String(model, "end_of_word_suffix", where) ?? "",
            FuseUnknown = JsonFile.Bool(model, "fuse_unk", where) ?? false,
            ByteFallback = JsonFile.Bool(model, "byte_fallback", where) ?? false,
            IgnoreMerges = JsonFile.Bool(model, "ignore_merges", where) ?? false,
        };
        return (new BpeTextModel(new BpeModel(vocabulary, merges, options, rank => $"{where}.merges[{rank}]")), vocabulary, "BPE");
    }

    private static (string Left, string Right) ReadMerge(JsonElement item, string where)
    {
        if (item.ValueKind == JsonValueKind.String)
        {
            var text = JsonFile.Text(item, where);
            var parts = text.Split(' ');
            return parts.Length == 2 && parts[0].Length > 0 && parts[1].Length > 0
                ? (parts[0], parts[1])
                : throw new InputException($"{where}: is '{text}'; expected two symbols with a space between.");
        }

        if (item.ValueKind != JsonValueKind.Array || item.GetArrayLength() != 2)
            throw JsonFile.Unexpected(item, where, "two symbols, as a string or an array");
        var (left, right) = (JsonFile.Text(item[0], $"{where}[0]"), JsonFile.Text(item[1], $"{where}[1]"));
        return left.Length > 0 && right.Length > 0
            ? (left, right)
            : throw new InputException($"{where}: has an empty symbol; expected two symbols.");
    }

    private static List<(string Token, int Id)> ReadVocabulary(JsonElement model, string where) => BpeFiles.ReadVocabulary(
        JsonFile.Expect(JsonFile.Get(model, "vocab"), JsonValueKind.Object, $"{where}.vocab"), $"{where}.vocab");
}
