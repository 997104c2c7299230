using System.Text;
using System.Text.Json;
using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers.Bpe;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>Reads a <c>tokenizer.json</c>. Its <c>truncation</c>, but for the side, and <c>padding</c> are left to the caller of the tokenizer.</summary>
internal static class TokenizerJson
{
    private static readonly (string Role, string[] Names)[] UsualNames =
    [
        ("bos", ["<s>"]), ("eos", ["</s>"]), ("unk", ["[UNK]", "<unk>"]), ("sep", ["[SEP]", "</s>"]), ("pad", ["[PAD]", "<pad>"]),
        ("cls", ["[CLS]", "<s>"]), ("mask", ["[MASK]", "<mask>"]),
    ];

    /// <summary>Loads the file with what its folder says.</summary>
    /// <exception cref="InputException">The file is damaged, or asks for something that is not supported and changes the ids.</exception>
    public static Tokenizer Load(string file, TokenizerSettings settings)
    {
        using var document = JsonFile.Read(file);
        var root = document.RootElement;
        if (!settings.HasTruncationSide && JsonFile.Get(root, "truncation") is { } truncation && JsonFile.String(truncation, "direction", $"{file}: truncation") is { } side and not "Right")
            throw new InputException($"{file}: truncation.direction: is {Quote.Name(side)}, which is not supported; expected \"Right\".");
        var modelElement = JsonFile.Expect(JsonFile.Get(root, "model"), JsonValueKind.Object, $"{file}: model");
        var (model, vocabulary, type) = ModelReader.Read(modelElement, $"{file}: model");
        var ids = vocabulary.ToDictionary(t => t.Text, t => t.Id);
        var added = ReadAdded(root, settings, ids, file);
        foreach (var token in added)
            ids[token.Content] = token.Id;
        var template = PostProcessorReader.Read(JsonFile.Get(root, "post_processor"), $"{file}: post_processor");
        var known = ids.Values.ToHashSet();
        foreach (var part in template.Single.Concat(template.Pair))
        {
            if (part.Kind == SequenceTemplate.PartKind.Token && !known.Contains(part.Id))
                throw new InputException($"{file}: post_processor: {Quote.Name(part.Text)} has the id {part.Id}, which no token of the vocabulary has.");
        }

        var preTokenizer = JsonFile.Get(root, "pre_tokenizer");
        var parts = new FastTokenizer.Parts(
            vocabulary,
            added,
            Special(settings, ids),
            template,
            NormalizerReader.Read(JsonFile.Get(root, "normalizer"), settings, $"{file}: normalizer"),
            PreTokenizerReader.Read(preTokenizer, settings, $"{file}: pre_tokenizer"),
            model,
            Joiner(type, preTokenizer, modelElement, file),
            PostProcessorReader.ReadTrimming(JsonFile.Get(root, "post_processor"), $"{file}: post_processor"),
            type is "WordPiece" or "BPE" && JsonFile.String(modelElement, "continuing_subword_prefix", file) is { Length: > 0 } prefix ? prefix : type == "WordPiece" ? "##" : null);
        return new FastTokenizer(parts);
    }

    private static List<AddedToken> ReadAdded(JsonElement root, TokenizerSettings settings, Dictionary<string, int> ids, string file)
    {
        var added = new Dictionary<string, AddedToken>();
        if (JsonFile.Get(root, "added_tokens") is { } list)
        {
            foreach (var (index, item) in JsonFile.Expect(list, JsonValueKind.Array, $"{file}: added_tokens").EnumerateArray().Index())
            {
                var where = $"{file}: added_tokens[{index}]";
                var token = TokenizerSettings.ReadToken(JsonFile.Expect(item, JsonValueKind.Object, where), where);
                var id = JsonFile.Index(JsonFile.Expect(JsonFile.Get(item, "id"), JsonValueKind.Number, $"{where}.id"), $"{where}.id");
                if (token.Content.Length == 0)
                    continue;
                if (ids.TryGetValue(token.Content, out var known) && known != id)
                    throw new InputException($"{where}: '{token.Content}' has the id {id}, but {known} in the model's vocabulary.");
                added[token.Content] = token with { Id = id };
            }
        }

        // Tokens that only tokenizer_config.json lists are added behind.
        foreach (var token in settings.AddedTokens)
        {
            if (token.Content.Length > 0)
                added.TryAdd(token.Content, token);
        }

        return [.. added.Values];
    }

    private static SpecialTokens Special(TokenizerSettings settings, Dictionary<string, int> ids)
    {
        int? Id(string role)
        {
            var names = settings.Special.TryGetValue(role, out var token) ? [token.Content] : UsualNames.First(n => n.Role == role).Names;
            foreach (var name in names)
            {
                if (ids.TryGetValue(name, out var id))
                    return id;
            }

            return null;
        }

        return new SpecialTokens
        {
            Bos = Id("bos"),
            Eos = Id("eos"),
            Unk = Id("unk"),
            Sep = Id("sep"),
            Pad = Id("pad"),
            Cls = Id("cls"),
            Mask = Id("mask"),
        };
    }

    private static Func<IReadOnlyList<string>, string> Joiner(string type, JsonElement? preTokenizer, JsonElement model, string file)
    {
        if (type == "WordPiece")
        {
            var prefix = JsonFile.String(model, "continuing_subword_prefix", file) ?? "##";
            return tokens => JoinWordPieces(tokens, prefix);
        }

        var byteLevel = preTokenizer is { } p && p.GetRawText().Contains("\"ByteLevel\"", StringComparison.Ordinal);
        return byteLevel ? ByteLevelText.Join : JoinMetaspace;
    }

    private static string JoinWordPieces(IReadOnlyList<string> tokens, string prefix)
    {
        var text = new StringBuilder();
        foreach (var token in tokens)
        {
            if (prefix.Length > 0 && token.StartsWith(prefix, StringComparison.Ordinal))
                text.Append(token.AsSpan(prefix.Length));
            else
                text.Append(text.Length > 0 ? " " : "").Append(token);
        }

        return text.ToString();
    }

    private static string JoinMetaspace(IReadOnlyList<string> tokens)
    {
        var text = string.Concat(tokens).Replace('▁', ' ');
        return text.StartsWith(' ') ? text[1..] : text;
    }
}
