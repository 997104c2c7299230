using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers.SentencePiece;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>Reads the <c>normalizer</c> of a tokenizer.json.</summary>
internal static class NormalizerReader
{
    // Regular expressions that mean the same to Oniguruma and to .NET.
    private static readonly HashSet<string> KnownPatterns = [" {2,}", " +", "\\s+", "\\s{2,}", "\\n+", "\\r\\n", "\\s", "\\n", "\\t"];

    /// <summary>The steps, in order.</summary>
    /// <exception cref="InputException">A step is not known; the message names it.</exception>
    public static List<Normalizer> Read(JsonElement? element, TokenizerSettings settings, string where)
    {
        var steps = new List<Normalizer>();
        if (element is { } value)
            Add(steps, value, settings, where);
        return steps;
    }

    private static void Add(List<Normalizer> steps, JsonElement value, TokenizerSettings settings, string where)
    {
        JsonFile.Expect(value, JsonValueKind.Object, where);
        var type = JsonFile.Text(JsonFile.Expect(JsonFile.Get(value, "type"), JsonValueKind.String, $"{where}.type"), where);
        switch (type)
        {
            case "Sequence":
                var list = JsonFile.Expect(JsonFile.Get(value, "normalizers"), JsonValueKind.Array, $"{where}.normalizers");
                foreach (var (index, item) in list.EnumerateArray().Index())
                    Add(steps, item, settings, $"{where}.normalizers[{index}]");
                break;
            case "BertNormalizer":
                steps.Add(ReadBert(value, settings, where));
                break;
            case "Precompiled":
                steps.Add(new PrecompiledNormalizer(new PrecompiledCharsMap(ReadBlob(value, where), $"{where}.precompiled_charsmap")));
                break;
            case "Strip":
                steps.Add(new StripNormalizer(
                    JsonFile.Bool(value, "strip_left", where) ?? true, JsonFile.Bool(value, "strip_right", where) ?? true));
                break;
            case "Replace":
                steps.Add(new ReplaceNormalizer(ReadPattern(value, where), JsonFile.String(value, "content", where) ?? ""));
                break;
            case "Prepend":
                steps.Add(new PrependNormalizer(JsonFile.String(value, "prepend", where) ?? ""));
                break;
            default:
                steps.Add(Simple(type) ?? throw new InputException(
                    $"{where}.type: is '{type}', which is not supported; expected Sequence, BertNormalizer, Precompiled, NFC, NFD, NFKC, NFKD, "
                    + "Lowercase, StripAccents, Strip, Replace or Prepend."));
                break;
        }
    }

    private static Normalizer? Simple(string type) => type switch
    {
        "NFC" => new UnicodeFormNormalizer(NormalizationForm.FormC),
        "NFD" => new UnicodeFormNormalizer(NormalizationForm.FormD),
        "NFKC" => new UnicodeFormNormalizer(NormalizationForm.FormKC),
        "NFKD" => new UnicodeFormNormalizer(NormalizationForm.FormKD),
        "Lowercase" => new LowercaseNormalizer(),
        "StripAccents" => new StripAccentsNormalizer(),
        _ => null,
    };

    private static BertNormalizer ReadBert(JsonElement value, TokenizerSettings settings, string where)
    {
        // BertTokenizerFast lets tokenizer_config.json overrule the file.
        var overrules = settings.TokenizerClass?.StartsWith("BertTokenizer", StringComparison.Ordinal) == true;
        var lower = (overrules ? settings.DoLowerCase : null) ?? JsonFile.Bool(value, "lowercase", where) ?? true;
        var strip = (overrules ? settings.StripAccents : null) ?? JsonFile.Bool(value, "strip_accents", where) ?? lower;
        var cjk = (overrules ? settings.TokenizeChineseChars : null) ?? JsonFile.Bool(value, "handle_chinese_chars", where) ?? true;
        return new BertNormalizer(JsonFile.Bool(value, "clean_text", where) ?? true, cjk, strip, lower);
    }

    private static byte[] ReadBlob(JsonElement value, string where)
    {
        var blob = JsonFile.Expect(JsonFile.Get(value, "precompiled_charsmap"), JsonValueKind.String, $"{where}.precompiled_charsmap");
        return blob.TryGetBytesFromBase64(out var bytes)
            ? bytes
            : throw new InputException($"{where}.precompiled_charsmap: is not base64.");
    }

    private static Regex ReadPattern(JsonElement value, string where)
    {
        var (literal, regex) = PatternReader.Read(value, where);
        if (literal is not null)
        {
            return literal.Length > 0
                ? new Regex(Regex.Escape(literal), RegexOptions.CultureInvariant)
                : throw new InputException($"{where}.pattern: is an empty string; expected at least one character.");
        }

        return KnownPatterns.Contains(regex!)
            ? new Regex(regex!, RegexOptions.CultureInvariant)
            : throw new InputException(
                $"{where}.pattern: the regular expression '{regex}' is not supported; expected one of {string.Join(", ", KnownPatterns.Order())}.");
    }
}
