using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>Reads the <c>post_processor</c> of a tokenizer.json.</summary>
internal static class PostProcessorReader
{
    private static readonly SequenceTemplate Plain = new([SequenceTemplate.Part.A()], [SequenceTemplate.Part.A(), SequenceTemplate.Part.B(1)]);

    /// <summary>How special tokens are put around sequences.</summary>
    /// <exception cref="InputException">The processor is not known; the message names it.</exception>
    public static SequenceTemplate Read(JsonElement? element, string where) => (element is { } value ? ReadOne(value, where) : null) ?? Plain;

    /// <summary>Whether spaces are taken off tokens' places, or null where nothing says so.</summary>
    public static OffsetTrimming? ReadTrimming(JsonElement? element, string where)
    {
        if (element is not { } value || JsonFile.String(value, "type", where) is not { } type)
            return null;
        if (type == "Sequence" && JsonFile.Get(value, "processors") is { ValueKind: JsonValueKind.Array } list)
            return list.EnumerateArray().Select(item => ReadTrimming(item, where)).FirstOrDefault(trimming => trimming is not null);
        if (type is not ("RobertaProcessing" or "ByteLevel") || JsonFile.Bool(value, "trim_offsets", where) == false)
            return null;
        return new OffsetTrimming(JsonFile.Bool(value, "add_prefix_space", where) ?? true, type == "RobertaProcessing");
    }

    private static SequenceTemplate? ReadOne(JsonElement value, string where)
    {
        JsonFile.Expect(value, JsonValueKind.Object, where);
        var type = JsonFile.Text(JsonFile.Expect(JsonFile.Get(value, "type"), JsonValueKind.String, $"{where}.type"), where);
        switch (type)
        {
            case "ByteLevel":
                return null;
            case "BertProcessing":
                return SequenceTemplate.Bert(ReadToken(value, "cls", where), ReadToken(value, "sep", where));
            case "RobertaProcessing":
                return SequenceTemplate.Roberta(ReadToken(value, "cls", where), ReadToken(value, "sep", where));
            case "TemplateProcessing":
                return ReadTemplate(value, where);
            case "Sequence":
                SequenceTemplate? only = null;
                var list = JsonFile.Expect(JsonFile.Get(value, "processors"), JsonValueKind.Array, $"{where}.processors");
                foreach (var (index, item) in list.EnumerateArray().Index())
                {
                    var next = ReadOne(item, $"{where}.processors[{index}]");
                    if (next is not null && only is not null)
                        throw new InputException($"{where}.processors[{index}]: adds special tokens a second time, which is not supported.");
                    only ??= next;
                }

                return only;
            default:
                throw new InputException(
                    $"{where}.type: is '{type}', which is not supported; expected TemplateProcessing, BertProcessing, RobertaProcessing, "
                    + "ByteLevel or Sequence.");
        }
    }

    private static SequenceTemplate.Part ReadToken(JsonElement value, string name, string where)
    {
        where = $"{where}.{name}";
        var pair = JsonFile.Expect(JsonFile.Get(value, name), JsonValueKind.Array, where);
        if (pair.GetArrayLength() != 2)
            throw new InputException($"{where}: has {pair.GetArrayLength()} members; expected a token and its id.");
        return SequenceTemplate.Part.Token(JsonFile.Index(pair[1], $"{where}[1]"), JsonFile.Text(pair[0], $"{where}[0]"));
    }

    private static SequenceTemplate ReadTemplate(JsonElement value, string where)
    {
        var special = new Dictionary<string, (int[] Ids, string[] Tokens)>();
        if (JsonFile.Get(value, "special_tokens") is { } tokens)
        {
            foreach (var property in JsonFile.Expect(tokens, JsonValueKind.Object, $"{where}.special_tokens").EnumerateObject())
            {
                var at = $"{where}.special_tokens.{JsonFile.Name(property, where)}";
                var ids = JsonFile.Expect(JsonFile.Get(property.Value, "ids"), JsonValueKind.Array, $"{at}.ids").EnumerateArray()
                    .Select(id => JsonFile.Index(id, $"{at}.ids")).ToArray();
                var texts = JsonFile.Expect(JsonFile.Get(property.Value, "tokens"), JsonValueKind.Array, $"{at}.tokens").EnumerateArray()
                    .Select(text => JsonFile.Text(text, $"{at}.tokens")).ToArray();
                if (ids.Length != texts.Length)
                    throw new InputException($"{at}: has {ids.Length} ids and {texts.Length} tokens; expected as many of each.");
                special[property.Name] = (ids, texts);
            }
        }

        return new SequenceTemplate(ReadParts(value, "single", special, where), ReadParts(value, "pair", special, where));
    }

    private static SequenceTemplate.Part[] ReadParts(
        JsonElement value, string name, Dictionary<string, (int[] Ids, string[] Tokens)> special, string where)
    {
        where = $"{where}.{name}";
        var parts = new List<SequenceTemplate.Part>();
        foreach (var (index, item) in JsonFile.Expect(JsonFile.Get(value, name), JsonValueKind.Array, where).EnumerateArray().Index())
        {
            var at = $"{where}[{index}]";
            if (JsonFile.Get(item, "Sequence") is { } sequence)
            {
                var type = JsonFile.Index(sequence, "type_id", at) ?? 0;
                parts.Add(JsonFile.String(sequence, "id", at) switch
                {
                    "A" => SequenceTemplate.Part.A(type),
                    "B" when name == "pair" => SequenceTemplate.Part.B(type),
                    var other => throw new InputException($"{at}.id: is '{other}'; expected {(name == "pair" ? "A or B" : "A")}."),
                });
            }
            else if (JsonFile.Get(item, "SpecialToken") is { } token)
            {
                var id = JsonFile.String(token, "id", at) ?? "";
                var type = JsonFile.Index(token, "type_id", at) ?? 0;
                if (!special.TryGetValue(id, out var found))
                    throw new InputException($"{at}: the special token '{id}' is not among special_tokens.");
                for (var i = 0; i < found.Ids.Length; i++)
                    parts.Add(SequenceTemplate.Part.Token(found.Ids[i], found.Tokens[i], type));
            }
            else
            {
                throw new InputException($"{at}: is neither a Sequence nor a SpecialToken.");
            }
        }

        return [.. parts];
    }
}
