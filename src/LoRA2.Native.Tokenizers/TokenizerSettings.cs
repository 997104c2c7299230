using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers;

/// <summary>
/// What <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c>, <c>added_tokens.json</c> and <c>config.json</c> say of a
/// tokenizer; each may be missing.
/// </summary>
internal sealed class TokenizerSettings
{
    private static readonly string[] Roles = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"];

    public string? TokenizerClass { get; private set; }

    public string? ModelType { get; private set; }

    /// <summary>Whether <c>tokenizer_config.json</c> says where long texts are cut; else <c>tokenizer.json</c> does.</summary>
    public bool HasTruncationSide { get; private set; }

    public bool? DoLowerCase { get; set; }

    public bool? TokenizeChineseChars { get; private set; }

    public bool? StripAccents { get; private set; }

    public bool? DoBasicTokenize { get; private set; }

    public bool? SplitByPunct { get; private set; }

    public bool? AddPrefixSpace { get; private set; }

    public bool? KeepAccents { get; set; }

    public bool? RemoveSpace { get; set; }

    /// <summary>model_max_length, or null where it is missing or, as 10^30 is, no limit.</summary>
    public int? ModelMaxLength { get; private set; }

    /// <summary>Whether a file says that the folder is a HuggingFace tokenizer, so that its special tokens count.</summary>
    public bool HasConfig { get; private set; }

    /// <summary>Special tokens by role ("cls", "mask", …).</summary>
    public Dictionary<string, AddedToken> Special { get; } = [];

    /// <summary>The roles whose token was given as a bare string, so that the tokenizer class decides its flags.</summary>
    public HashSet<string> BareSpecial { get; } = [];

    /// <summary>Special tokens without a role.</summary>
    public List<AddedToken> AdditionalSpecial { get; } = [];

    /// <summary>Added tokens with their ids, by rising id.</summary>
    public List<AddedToken> AddedTokens { get; private set; } = [];

    /// <summary>Reads the files of a folder.</summary>
    /// <exception cref="InputException">One is damaged.</exception>
    public static TokenizerSettings Read(string folder) => Read(name => Path.Combine(folder, name));

    /// <summary>Reads files of several folders.</summary>
    /// <param name="place">Where the file of a name is, whether it exists or not.</param>
    /// <exception cref="InputException">One is damaged.</exception>
    public static TokenizerSettings Read(Func<string, string> place)
    {
        var settings = new TokenizerSettings();
        settings.ReadConfig(place("config.json"));
        settings.ReadSpecialTokensMap(place("special_tokens_map.json"));
        var listed = settings.ReadTokenizerConfig(place("tokenizer_config.json"));
        if (!listed)
            settings.ReadAddedTokens(place("added_tokens.json"));
        settings.AddedTokens = [.. settings.AddedTokens.OrderBy(t => t.Id)];
        return settings;
    }

    /// <summary>Refuses a vocabulary that belongs to a tokenizer class which does something else with it: the files themselves say nothing of that.</summary>
    /// <param name="file">The vocabulary.</param>
    /// <param name="prefixes">What the names of the classes begin with that use it as it is used here, before Tokenizer or TokenizerFast.</param>
    /// <exception cref="InputException">It is such.</exception>
    public void RequireClass(string file, IReadOnlyList<string> prefixes)
    {
        if (TokenizerClass is null or "PreTrainedTokenizer" or "PreTrainedTokenizerFast" || prefixes.Any(prefix => TokenizerClass == prefix + "Tokenizer" || TokenizerClass == prefix + "TokenizerFast"))
            return;
        throw new InputException(
            $"{file}: belongs to tokenizer_class {Quote.Plain(TokenizerClass)}; expected {string.Join(", ", prefixes.SkipLast(1).Select(prefix => prefix + "Tokenizer"))} or {prefixes[^1]}Tokenizer, or a tokenizer.json beside it (transformers' AutoTokenizer.from_pretrained(…).save_pretrained(…) writes one).");
    }

    private void ReadConfig(string file)
    {
        if (!File.Exists(file))
            return;
        using var document = JsonFile.Read(file);
        ModelType = JsonFile.String(document.RootElement, "model_type", file);
        // HuggingFace looks here where tokenizer_config.json names no class.
        TokenizerClass = JsonFile.String(document.RootElement, "tokenizer_class", file);
    }

    private bool ReadTokenizerConfig(string file)
    {
        if (!File.Exists(file))
            return false;
        HasConfig = true;
        using var document = JsonFile.Read(file);
        var root = document.RootElement;
        TokenizerClass = JsonFile.String(root, "tokenizer_class", file) ?? TokenizerClass;
        DoLowerCase = JsonFile.Bool(root, "do_lower_case", file);
        TokenizeChineseChars = JsonFile.Bool(root, "tokenize_chinese_chars", file);
        StripAccents = JsonFile.Bool(root, "strip_accents", file);
        DoBasicTokenize = JsonFile.Bool(root, "do_basic_tokenize", file);
        SplitByPunct = JsonFile.Bool(root, "split_by_punct", file);
        AddPrefixSpace = JsonFile.Bool(root, "add_prefix_space", file);
        KeepAccents = JsonFile.Bool(root, "keep_accents", file);
        RemoveSpace = JsonFile.Bool(root, "remove_space", file);
        ModelMaxLength = ReadLimit(root, file);
        if (JsonFile.Bool(root, "split_special_tokens", file) == true)
            throw new InputException($"{file}.split_special_tokens: is true, which is not supported; expected false.");
        if (JsonFile.String(root, "truncation_side", file) is { } side)
            HasTruncationSide = side == "right" ? true : throw new InputException($"{file}.truncation_side: is {Quote.Name(side)}, which is not supported; expected \"right\".");
        ReadSpecial(root, file);
        if (JsonFile.Get(root, "added_tokens_decoder") is not { } decoder)
            return false;
        foreach (var property in JsonFile.Expect(decoder, JsonValueKind.Object, $"{file}.added_tokens_decoder").EnumerateObject())
        {
            var where = $"{file}.added_tokens_decoder";
            var name = JsonFile.Name(property, where);
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id > 1 << 30)
                throw new InputException($"{where}: has the key '{name}'; expected a token id.");
            AddedTokens.Add(ReadToken(property.Value, $"{where}.{id}") with { Id = id });
        }

        return true;
    }

    private static int? ReadLimit(JsonElement root, string file)
    {
        if (JsonFile.Get(root, "model_max_length") is not { } value)
            return null;
        if (!JsonFile.Expect(value, JsonValueKind.Number, $"{file}.model_max_length").TryGetDouble(out var limit) || !(limit >= 1))
            throw JsonFile.Unexpected(value, $"{file}.model_max_length", "a number of at least 1");
        return limit <= 1 << 30 ? (int)limit : null;
    }

    private void ReadSpecialTokensMap(string file)
    {
        if (!File.Exists(file))
            return;
        HasConfig = true;
        using var document = JsonFile.Read(file);
        ReadSpecial(document.RootElement, file);
    }

    private void ReadAddedTokens(string file)
    {
        if (!File.Exists(file))
            return;
        HasConfig = true;
        using var document = JsonFile.Read(file);
        foreach (var property in document.RootElement.EnumerateObject())
        {
            var content = JsonFile.Name(property, file);
            var id = JsonFile.Index(property.Value, $"{file}.{content}");
            var special = Special.FirstOrDefault(s => s.Value.Content == content).Value
                ?? AdditionalSpecial.FirstOrDefault(t => t.Content == content);
            AddedTokens.Add(special is null
                ? new AddedToken(content) { Id = id, Normalized = true }
                : special with { Id = id, Special = true });
        }
    }

    private void ReadSpecial(JsonElement root, string file)
    {
        foreach (var role in Roles)
        {
            if (JsonFile.Get(root, role + "_token") is not { } value)
                continue;
            var token = ReadToken(value, $"{file}.{role}_token") with { Special = true };
            if (token.Content.Length == 0 && role is ("cls" or "sep" or "unk"))
                throw new InputException($"{file}.{role}_token: is empty; expected a token.");
            Special[role] = token;
            if (value.ValueKind == JsonValueKind.String)
                BareSpecial.Add(role);
            else
                BareSpecial.Remove(role);
        }

        if (JsonFile.Get(root, "additional_special_tokens") is not { } additional)
            return;
        AdditionalSpecial.Clear();
        foreach (var value in JsonFile.Expect(additional, JsonValueKind.Array, $"{file}.additional_special_tokens").EnumerateArray())
            AdditionalSpecial.Add(ReadToken(value, $"{file}.additional_special_tokens") with { Special = true });
    }

    /// <summary>A token written as a string or as an object with flags.</summary>
    public static AddedToken ReadToken(JsonElement value, string where)
    {
        if (value.ValueKind == JsonValueKind.String)
            return new AddedToken(JsonFile.Text(value, where));
        JsonFile.Expect(value, JsonValueKind.Object, where);
        var special = JsonFile.Bool(value, "special", where) ?? false;
        return new AddedToken(JsonFile.Text(JsonFile.Expect(JsonFile.Get(value, "content"), JsonValueKind.String, $"{where}.content"), where))
        {
            LStrip = JsonFile.Bool(value, "lstrip", where) ?? false,
            RStrip = JsonFile.Bool(value, "rstrip", where) ?? false,
            SingleWord = JsonFile.Bool(value, "single_word", where) ?? false,
            Normalized = JsonFile.Bool(value, "normalized", where) ?? !special,
            Special = special,
        };
    }
}
