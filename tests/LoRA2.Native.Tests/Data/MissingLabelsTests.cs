using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

/// <summary>Every spelling that pandas' read_csv takes as missing (its default na_values), and what pandas writes: an error where it can only be that, a note where it is what a class is called.</summary>
public sealed class MissingLabelsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Missing => ["", " ", "nan", "NaN", "NAN", "-nan", "-NaN", "null", "NULL", "Null", "<NA>", "NaT", "#N/A", "#NA", "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", " nan "];

    public static TheoryData<string> Doubtful => ["None", "NA", "N/A", "n/a"];

    public static TheoryData<string> Classes => ["none", "na", "nat", "NAT", "Nan Goldin", "nothing", "-", "0", "NONE"];

    [Theory]
    [MemberData(nameof(Missing))]
    public void AMissingLabelIsNamedByItsLine(string label)
    {
        string message = Assert.Throws<InputException>(() => Load($"text\tlabel\none\ta\ntwo\t{label}\nthree\tb\n")).Message;
        Assert.Contains(", line 3: the label is missing (\"", message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Doubtful))]
    public void AClassThatPandasReadsAsMissingIsSaid(string label)
    {
        Dataset data = Load($"text\tlabel\none\ta\ntwo\t{label}\nthree\tb\nfour\t{label}\n");
        Assert.Contains(label, data.LabelNames!);
        Assert.Equal([$"{folder.File("data.tsv")}, line 3: label \"{label}\", in 2 lines, is taken as a class of that name; pandas reads it as a missing value: leave these rows out if it is one"], data.Notes);
        // Of a model that has the class, and of a map that names it, there is no doubt.
        Assert.Empty(Load($"text\tlabel\none\ta\ntwo\t{label}\n", new DatasetOptions { LabelNames = ["a", label] }).Notes);
        Assert.Empty(Load($"text\tlabel\none\ta\ntwo\t{label}\n", new DatasetOptions { LabelMap = new LabelMap(new Dictionary<string, string> { ["a"] = "a", [label] = "no relation" }) }).Notes);
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void WhatOnlyLooksLikeItIsAClass(string label)
    {
        Dataset data = Load($"text\tlabel\none\ta\ntwo\t{label}\nthree\tb\n");
        Assert.Contains(label, data.LabelNames!);
        Assert.Empty(data.Notes);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("nan")]
    public void ALabelMapMayNameWhatLooksMissing(string label)
    {
        var map = new LabelMap(new Dictionary<string, string> { ["a"] = "some", [label] = "no relation" });
        Assert.Equal(["some", "no relation"], Load($"text\tlabel\none\ta\ntwo\t{label}\n", new DatasetOptions { LabelMap = map }).LabelNames);
    }

    [Theory]
    [MemberData(nameof(Missing))]
    public void OneOfSeveralLabelsMayBeMissing(string label)
    {
        string message = Assert.Throws<InputException>(() => LoadJson($$"""{"text": "one", "labels": ["a"]}""" + "\n" + $$"""{"text": "two", "labels": ["b", "{{label}}"]}""", TaskKinds.MultiLabel)).Message;
        Assert.Contains(", line 2: a label in the list is missing (\"", message, StringComparison.Ordinal);
    }

    [Fact]
    public void OneOfSeveralLabelsThatMayBeNoneIsSaid()
    {
        var options = new DatasetOptions { Kind = TaskKinds.MultiLabel };
        Assert.Contains("line 3: label \"None\", in 1 line, ", Assert.Single(Load("text\tlabels\none\ta,b\ntwo\tNone\nthree\t\n", options).Notes), StringComparison.Ordinal);
        Assert.Contains(", line 3: a label in the list is missing (\"nan\" found)", Assert.Throws<InputException>(() => Load("text\tlabels\none\ta,b\ntwo\ta,nan\n", options)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Missing))]
    [MemberData(nameof(Doubtful))]
    public void ANumberMayBeMissing(string label)
    {
        string message = Assert.Throws<InputException>(() => Load($"text\tlabel\none\t1.5\ntwo\t{label}\n", new DatasetOptions { Kind = TaskKinds.Regression })).Message;
        Assert.Contains(", line 3: ", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nan", "the tag of word \"in\" is missing (\"nan\" found)")]
    [InlineData("", "the tag of word \"in\" is missing (\"\" found)")]
    [InlineData("B-nan", "the tag of word \"in\" is missing (\"B-nan\" found)")]
    [InlineData("I-NULL", "the tag of word \"in\" is missing (\"I-NULL\" found)")]
    public void ATagMayBeMissing(string tag, string expected)
    {
        foreach (string other in (string[])["B-PER", "NOUN"])
        {
            string message = Assert.Throws<InputException>(() => LoadJson($$"""{"words": ["Anna"], "tags": ["{{other}}"]}""" + "\n" + $$"""{"words": ["Bo", "in"], "tags": ["{{other}}", "{{tag}}"]}""", TaskKinds.Tokens)).Message;
            Assert.Contains($", line 2: {expected}", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("B-None", "None")]
    [InlineData("B-NA", "NA")]
    public void ATagThatMayBeNoneIsSaid(string tag, string name)
    {
        Dataset data = LoadJson($$"""{"words": ["Anna", "in"], "tags": ["B-PER", "{{tag}}"]}""", TaskKinds.Tokens);
        Assert.Contains($"line 1: label \"{name}\", in 1 line, ", Assert.Single(data.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void ASpansLabelMayBeMissing()
    {
        static string Row(string label) => $$"""{"text": "Anna in Rome", "spans": [{"start": 0, "end": 4, "label": "PER"}, {"start": 8, "end": 12, "label": "{{label}}"}]}""";
        Assert.Contains("line 1: the label of span 8 to 12 is missing (\"nan\" found)", Assert.Throws<InputException>(() => LoadJson(Row("nan"), TaskKinds.Tokens)).Message, StringComparison.Ordinal);
        Assert.Contains("label \"None\", in 1 line, ", Assert.Single(LoadJson(Row("None"), TaskKinds.Tokens).Notes), StringComparison.Ordinal);
    }

    private Dataset Load(string text, DatasetOptions? options = null) => DatasetFile.Load(folder.Write("data.tsv", text), options ?? new DatasetOptions());

    private Dataset LoadJson(string text, TaskKind kind) => DatasetFile.Load(folder.Write("data.jsonl", text + "\n"), new DatasetOptions { Kind = kind });
}
