using System.Text.Json;
using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>Reads the <c>pre_tokenizer</c> of a tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Gpt2Short = @"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The steps, in order.</summary>
    /// <exception cref="InputException">A step is not known; the message names it.</exception>
    public static List<PreTokenizer> Read(JsonElement? element, TokenizerSettings settings, string where)
    {
        var steps = new List<PreTokenizer>();
        if (element is { } value)
            Add(steps, value, settings, where);
        return steps;
    }

    private static void Add(List<PreTokenizer> steps, JsonElement value, TokenizerSettings settings, string where)
    {
        JsonFile.Expect(value, JsonValueKind.Object, where);
        var type = JsonFile.Text(JsonFile.Expect(JsonFile.Get(value, "type"), JsonValueKind.String, $"{where}.type"), where);
        switch (type)
        {
            case "Sequence":
                var list = JsonFile.Expect(JsonFile.Get(value, "pretokenizers"), JsonValueKind.Array, $"{where}.pretokenizers");
                foreach (var (index, item) in list.EnumerateArray().Index())
                    Add(steps, item, settings, $"{where}.pretokenizers[{index}]");
                break;
            case "BertPreTokenizer":
                steps.Add(new SplitPreTokenizer(new CharPattern(RustText.IsWhiteSpace), SplitBehavior.Removed, false));
                steps.Add(new SplitPreTokenizer(new CharPattern(Punctuation.IsRust), SplitBehavior.Isolated, false));
                break;
            case "Whitespace":
                static int Kind(int c) => RustText.IsWord(c) ? 1 : RustText.IsWhiteSpace(c) ? 0 : 2;
                steps.Add(new SplitPreTokenizer(new RunPattern(Kind), SplitBehavior.Removed, true));
                break;
            case "WhitespaceSplit":
                steps.Add(new SplitPreTokenizer(new CharPattern(RustText.IsWhiteSpace), SplitBehavior.Removed, false));
                break;
            case "Punctuation":
                steps.Add(new SplitPreTokenizer(new CharPattern(Punctuation.IsRust), ReadBehavior(value, where), false));
                break;
            case "Digits":
                var each = JsonFile.Bool(value, "individual_digits", where) ?? false;
                var behavior = each ? SplitBehavior.Isolated : SplitBehavior.Contiguous;
                steps.Add(new SplitPreTokenizer(new CharPattern(RustText.IsNumeric), behavior, false));
                break;
            case "Metaspace":
                steps.Add(ReadMetaspace(value, where));
                break;
            case "ByteLevel":
                var prefix = settings.AddPrefixSpace ?? JsonFile.Bool(value, "add_prefix_space", where) ?? true;
                steps.Add(new ByteLevelPreTokenizer(prefix, JsonFile.Bool(value, "use_regex", where) ?? true));
                break;
            case "Split":
                steps.Add(new SplitPreTokenizer(
                    ReadPattern(value, where), ReadBehavior(value, where), JsonFile.Bool(value, "invert", where) ?? false));
                break;
            default:
                throw new InputException(
                    $"{where}.type: is '{type}', which is not supported; expected Sequence, BertPreTokenizer, Metaspace, ByteLevel, "
                    + "Whitespace, WhitespaceSplit, Punctuation, Digits or Split.");
        }
    }

    private static MetaspacePreTokenizer ReadMetaspace(JsonElement value, string where)
    {
        var replacement = JsonFile.String(value, "replacement", where) ?? "▁";
        if (replacement.Length != 1)
            throw new InputException($"{where}.replacement: is '{replacement}'; expected one character.");
        var scheme = JsonFile.String(value, "prepend_scheme", where) switch
        {
            "always" => MetaspacePreTokenizer.Scheme.Always,
            "first" => MetaspacePreTokenizer.Scheme.First,
            "never" => MetaspacePreTokenizer.Scheme.Never,
            null => MetaspacePreTokenizer.Scheme.Always,
            var other => throw new InputException($"{where}.prepend_scheme: is '{other}'; expected always, first or never."),
        };
        if (JsonFile.Bool(value, "add_prefix_space", where) == false)
            scheme = MetaspacePreTokenizer.Scheme.Never;
        return new MetaspacePreTokenizer(replacement[0], scheme, JsonFile.Bool(value, "split", where) ?? true);
    }

    private static SplitPattern ReadPattern(JsonElement value, string where)
    {
        var (literal, regex) = PatternReader.Read(value, where);
        if (literal is not null)
            return new LiteralPattern(literal);
        return regex switch
        {
            Gpt2 or Gpt2Short => new Gpt2Pattern(),
            @"\s" => new CharPattern(RustText.IsWhiteSpace),
            @"\s+" => new RunPattern(static c => RustText.IsWhiteSpace(c) ? 1 : 0),
            @"\w+|[^\w\s]+" => new RunPattern(static c => RustText.IsWord(c) ? 1 : RustText.IsWhiteSpace(c) ? 0 : 2),
            @"\p{N}" => new CharPattern(RustText.IsNumeric),
            @"\p{N}+" => new RunPattern(static c => RustText.IsNumeric(c) ? 1 : 0),
            @" " => new LiteralPattern(" "),
            _ => throw new InputException(
                $@"{where}.pattern: the regular expression '{regex}' is not supported; expected GPT-2's, \s, \s+, \w+|[^\w\s]+, \p{{N}} or \p{{N}}+."),
        };
    }

    private static SplitBehavior ReadBehavior(JsonElement value, string where) => JsonFile.String(value, "behavior", where) switch
    {
        null or "Isolated" => SplitBehavior.Isolated,
        "Removed" => SplitBehavior.Removed,
        "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" => SplitBehavior.MergedWithNext,
        "Contiguous" => SplitBehavior.Contiguous,
        var other => throw new InputException(
            $"{where}.behavior: is '{other}'; expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous."),
    };
}
