using System.Text.Json;
using LoRA2.Native.Data.Labels;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Tagging;

/// <summary>Reads words with their tags, or texts with labelled stretches, out of a table, every row checked.</summary>
internal sealed class TaggedTable
{
    private static readonly string[] WordColumns = ["words", "tokens"];
    private static readonly string[] TagColumns = ["tags", "ner_tags", "labels"];
    private static readonly string[] SpanColumns = ["spans", "entities"];
    private static readonly string[] CoveredFields = ["text", "surface", "word", "value"];

    private readonly Table table;
    private readonly DatasetOptions options;
    private readonly TagScheme? asked;
    private readonly MissingLabels missing;

    public TaggedTable(Table table, DatasetOptions options, TagScheme? asked)
    {
        (this.table, this.options, this.asked) = (table, options, asked);
        missing = new MissingLabels(options);
        if (table.Rows.Count == 0) throw new InputException($"{table.Path}: no examples found, expected at least one row.");
    }

    public Dataset Read()
    {
        int words = Column(options.TextColumn, WordColumns);
        if (words >= 0 && table.Rows[0].ListAt(words) is not null) return Words(words, Column(options.LabelColumn, TagColumns));
        int spans = Column(options.LabelColumn, SpanColumns);
        if (spans < 0 && options.RequireLabels)
        {
            throw new InputException(
                $"{table.Path}: the columns are {string.Join(", ", table.Columns)}, expected lists of words and of tags ({string.Join(" or ", WordColumns)}, {string.Join(" or ", TagColumns)}), or a text and {string.Join(" or ", SpanColumns)}.");
        }

        var texts = new LabelledTable(table, options with { LabelColumn = null, RequireLabels = false }, []);
        return Texts(texts, spans);
    }

    private Dataset Words(int column, int tagColumn)
    {
        if (tagColumn < 0 && options.RequireLabels) throw new InputException($"{table.Path}: the columns are {string.Join(", ", table.Columns)}, expected a list of tags in {string.Join(" or ", TagColumns)}.");
        (TableRow Row, string[] Words, string[]? Tags)[] rows = [.. table.Rows.Select(row =>
        {
            string[] words = Strings(row, column);
            if (words.Length == 0) throw Error(row, 0, "the list of words is empty, expected one at least");
            if (Array.FindIndex(words, string.IsNullOrWhiteSpace) is var empty and >= 0) throw Error(row, empty, $"word {empty + 1} is empty, expected a word");
            string[]? tags = tagColumn < 0 ? null : Strings(row, tagColumn);
            return tags is null || tags.Length == words.Length ? (row, words, tags) : throw Error(row, 0, $"{words.Length} words and {tags.Length} tags found, expected as many");
        })];
        foreach ((TableRow row, string[] words, string[]? tags) in rows)
        {
            if (tags is not null && Array.FindIndex(tags, tag => IsMissing(row, tag)) is var none and >= 0) throw Error(row, none, $"the tag of word {Quote.Name(words[none])} is missing ({Quote.Name(tags[none])} found), expected one for every word");
        }

        if (tagColumn < 0) return Made(null, [.. rows.Select(row => Tagged(row.Row, row.Words, null))]);
        TagScheme scheme = asked ?? TagScheme.Of(rows.SelectMany(row => row.Tags!));
        if (asked is null && scheme == TagScheme.Plain && options.LabelNames is null) RefuseOtherTags([.. rows.Select(row => (row.Row, row.Words, row.Tags!))]);
        foreach ((TableRow row, string[] words, string[]? tags) in rows)
        {
            if (scheme == TagScheme.Iob1) TagScheme.ToBio(tags!);
            if (scheme.WhatIsWrong(tags!) is { } wrong) throw Error(row, wrong.Word, $"tag {Quote.Name(tags![wrong.Word])} of word {Quote.Name(words[wrong.Word])} {wrong.Why}");
        }

        IReadOnlyList<string> names = options.LabelNames ?? scheme.TagsFor(rows.SelectMany(row => row.Tags!));
        Dictionary<string, int> known = names.Index().ToDictionary(name => name.Item, name => name.Index, StringComparer.Ordinal);
        return Made(names, [.. rows.Select(row => Tagged(row.Row, row.Words, [.. row.Tags!.Select((tag, i) => known.TryGetValue(tag, out int index)
            ? (float)index
            : throw Error(row.Row, i, $"tag {Quote.Name(tag)} of word {Quote.Name(row.Words[i])} is unknown, expected one of {string.Join(", ", names.Take(20).Select(Quote.Plain))}"))]))]);
    }

    /// <summary>Tags that no scheme has would each be a type of its own, which is seldom meant where they look like a scheme's in another spelling.</summary>
    private void RefuseOtherTags(IReadOnlyList<(TableRow Row, string[] Words, string[] Tags)> rows)
    {
        if (OtherTags.Find([.. rows.SelectMany(row => row.Tags).Distinct()]) is not var (tag, why)) return;
        (TableRow row, string[] words, string[] tags) = rows.First(row => row.Tags.Contains(tag));
        int word = Array.IndexOf(tags, tag);
        throw Error(row, word, $"tag {Quote.Name(tag)} of word {Quote.Name(words[word])} looks like {why}; --tag-scheme plain takes every tag as it is");
    }

    /// <summary>Whether a tag is none, by itself or as the type behind its prefix.</summary>
    private bool IsMissing(TableRow row, string tag) => missing.IsMissing(tag, row.Line) || (tag.Length > 1 && tag[1] == '-' && (tag[0] is 'B' or 'I' or 'E' or 'S') && missing.IsMissing(tag[2..], row.Line));

    private Dataset Texts(LabelledTable texts, int column)
    {
        Example[] examples = [.. table.Rows.Select(row =>
        {
            Example example = texts.Example(row);
            return column < 0 ? example : example with { Spans = Spans(row, column, example.Text), Line = row.Line };
        })];
        if (column < 0) return Made(null, examples);
        string[] types = [.. examples.SelectMany(example => example.Spans!).Select(span => span.Label).Distinct().Order(StringComparer.Ordinal)];
        if (types.Length == 0 && options.LabelNames is null) throw new InputException($"{table.Path}: no text has a labelled span, expected one at least somewhere.");
        IReadOnlyList<string> names = options.LabelNames ?? (asked ?? TagScheme.Bio).TagsOf(types);
        HashSet<string> known = [.. names.Where(name => name != EntityTags.Outside).Select(name => EntityTags.Split(name).Type)];
        foreach ((Example example, TableRow row) in examples.Zip(table.Rows))
        {
            if (example.Spans!.FirstOrDefault(span => !known.Contains(span.Label)) is { Label: { } label })
                throw Error(row, 0, $"span label {Quote.Name(label)} is unknown, expected one of {string.Join(", ", known.Take(20).Select(Quote.Plain))}");
        }

        return Made(names, examples);
    }

    /// <summary>Spans of a row in their order, in UTF-16; files count code points, as Python does.</summary>
    private LabelledSpan[] Spans(TableRow row, int column, string text)
    {
        if (row.ListAt(column) is not { } json) throw Error(row, 0, $"field {Quote.Name(table.Columns[column])} is missing or no list, expected a list of spans");
        using JsonDocument document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Array) throw Error(row, 0, $"field {Quote.Name(table.Columns[column])} is no list, expected a list of spans");
        int[] places = TextPlaces.OfCodePoints(text);
        LabelledSpan[] spans = [.. document.RootElement.EnumerateArray().Select(span => Span(row, span, text, places)).OrderBy(span => span.Start).ThenBy(span => span.End)];
        for (int i = 1; i < spans.Length; i++)
        {
            if (spans[i].Start < spans[i - 1].End)
                throw Error(row, 0, $"spans {Quote.Name(text[spans[i - 1].Start..spans[i - 1].End])} ({spans[i - 1].Label}) and {Quote.Name(text[spans[i].Start..spans[i].End])} ({spans[i].Label}) overlap, expected spans apart from each other");
        }

        return spans;
    }

    private LabelledSpan Span(TableRow row, JsonElement span, string text, int[] places)
    {
        static JsonElement? Of(JsonElement from, int index, params ReadOnlySpan<string> names)
        {
            if (from.ValueKind == JsonValueKind.Array) return from.GetArrayLength() == 3 ? from[index] : null;
            if (from.ValueKind != JsonValueKind.Object) return null;
            foreach (string name in names)
            {
                if (from.TryGetProperty(name, out JsonElement value)) return value;
            }

            return null;
        }

        if (Of(span, 0, "start", "start_offset") is not { ValueKind: JsonValueKind.Number } start || Of(span, 1, "end", "end_offset") is not { ValueKind: JsonValueKind.Number } end
            || Of(span, 2, "label", "type", "entity") is not { ValueKind: JsonValueKind.String } label || !start.TryGetInt32(out int from) || !end.TryGetInt32(out int to))
            throw Error(row, 0, $"span {Quote.Name(span.GetRawText())} found, expected {{\"start\": …, \"end\": …, \"label\": …}} or [start, end, label]");
        foreach (string field in CoveredFields)
        {
            if (span.ValueKind == JsonValueKind.Object && span.TryGetProperty(field, out JsonElement said) && said.ValueKind == JsonValueKind.String
                && SpanText.WhatIsWrong(text, places, from, to, label.GetString()!, field, said.GetString()!, field is "text" or "surface") is { } wrong)
                throw Error(row, 0, wrong);
        }

        int length = places.Length - 1;
        if (from < 0 || to > length || from >= to) throw Error(row, 0, $"span {from} to {to} ({label.GetString()}) found, expected a stretch of the text's {length} characters");
        if (missing.IsMissing(label.GetString()!, row.Line)) throw Error(row, 0, $"the label of span {from} to {to} is missing ({Quote.Name(label.GetString()!)} found), expected one");
        return new LabelledSpan(places[from], places[to], label.GetString()!);
    }

    private static Example Tagged(TableRow row, string[] words, float[]? tags) => new(string.Join(' ', words)) { Words = words, Targets = tags, Line = row.Line };

    private Dataset Made(IReadOnlyList<string>? names, Example[] examples) => new(Path.GetFileName(table.Path), examples, names) { Notes = missing.Notes(table.Path, table.Note) };

    private InputException Error(TableRow row, int item, string what) => new($"{table.Path}, line {row.ItemLines?[item] ?? row.Line}: {what}.");

    private string[] Strings(TableRow row, int column)
    {
        if (row.ListAt(column) is not { } json) throw Error(row, 0, $"field {Quote.Name(table.Columns[column])} is missing or no list, expected a list of strings");
        using JsonDocument document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Array) throw Error(row, 0, $"field {Quote.Name(table.Columns[column])} is no list, expected a list of strings");
        return [.. document.RootElement.EnumerateArray().Select((item, i) => item.ValueKind == JsonValueKind.String
            ? item.GetString()!
            : throw Error(row, Math.Min(i, (row.ItemLines?.Count ?? 1) - 1), $"{Quote.Name(item.GetRawText())} found in the list {Quote.Name(table.Columns[column])}, expected strings: tags by their names, such as B-PER"))];
    }

    private int Column(string? named, string[] defaults)
    {
        foreach (string name in named is null ? defaults : [named])
        {
            if (table.IndexOf(name) is var index and >= 0) return index;
        }

        return -1;
    }
}
