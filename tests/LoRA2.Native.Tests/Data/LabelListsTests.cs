using LoRA2.Native.Data;
using LoRA2.Native.Data.Labels;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

/// <summary>Lists of labels by their names, as 0 and 1 for each label, and as Python writes lists into a cell.</summary>
public sealed class LabelListsTests : IDisposable
{
    private static readonly DatasetOptions Several = new() { Kind = TaskKinds.MultiLabel };

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("d.jsonl", "{\"text\":\"a\",\"labels\":[0,1,0]}\n{\"text\":\"b\",\"labels\":[1,0,1]}\n")]
    [InlineData("d.jsonl", "{\"text\":\"a\",\"labels\":[0.0,1.0,0.0]}\n{\"text\":\"b\",\"labels\":[1.0,0.0,1.0]}\n")]
    [InlineData("d.jsonl", "{\"text\":\"a\",\"labels\":[false,true,false]}\n{\"text\":\"b\",\"labels\":[true,false,true]}\n")]
    [InlineData("d.csv", "text,labels\na,\"0,1,0\"\nb,\"1,0,1\"\n")]
    [InlineData("d.csv", "text,labels\na,\"[0, 1, 0]\"\nb,\"[1, 0, 1]\"\n")]
    [InlineData("d.csv", "text,labels\na,\"[False, True, False]\"\nb,\"[True, False, True]\"\n")]
    public void AZeroOrOneForEachLabelIsItsPlace(string file, string content)
    {
        string path = folder.Write(file, content);
        Dataset data = DatasetFile.Load(path, Several);
        Assert.Equal(["LABEL_0", "LABEL_1", "LABEL_2"], data.LabelNames);
        Assert.Equal([$"{path}: the lists of 3 are read as a 0 or 1 for each label: LABEL_0, LABEL_1, LABEL_2"], data.Notes);
        Assert.Equal([[0f, 1, 0], [1, 0, 1]], data.Examples.Select(example => example.Targets!.ToArray()));
        data = DatasetFile.Load(path, Several with { LabelNames = ["x", "y", "z"] });
        Assert.Equal(["x", "y", "z"], data.LabelNames);
        Assert.Equal([0, 1, 0], data.Examples[0].Targets);
        Assert.Contains(", line ", Assert.Throws<InputException>(() => DatasetFile.Load(path, Several with { LabelNames = ["x", "y"] })).Message, StringComparison.Ordinal);
        // A map may name the places, in another order than the model's.
        var map = new LabelMap(new Dictionary<string, string> { ["0"] = "z", ["1"] = "y", ["2"] = "x" });
        data = DatasetFile.Load(path, Several with { LabelNames = ["x", "y", "z"], LabelMap = map });
        Assert.Equal([0, 1, 0], data.Examples[0].Targets);
        map = new LabelMap(new Dictionary<string, string> { ["0"] = "y", ["1"] = "z", ["2"] = "x" });
        Assert.Equal([0, 0, 1], DatasetFile.Load(path, Several with { LabelNames = ["x", "y", "z"], LabelMap = map }).Examples[0].Targets);
    }

    [Theory]
    [InlineData("[0,1,0]", "[1,0]", ", line 2: the labels are [1, 0] and those of line 1 [0, 1, 0], a 0 or 1 for each label; expected 3 of 0 and 1 in every row.")]
    [InlineData("[0,1]", "[1,0,0]", ", line 1: the labels are [0, 1] and those of line 2 [1, 0, 0], a 0 or 1 for each label; expected 3 of 0 and 1 in every row.")]
    [InlineData("[0,1,0]", "[]", ", line 2: the labels are [] and")]
    [InlineData("[0,1,0]", "[1,0,2]", ", line 2: the labels are [1, 0, 2] and")]
    [InlineData("[0,1,0]", "[1,0,-1]", ", line 2: the labels are [1, 0, -1] and")]
    [InlineData("[0,1,0]", "[\"a\"]", ", line 2: the labels are [a] and")]
    [InlineData("[true]", "[false]", ", line 1: field \"labels\" has \"true\" in its list, expected strings or numbers.")]
    public void ListsThatAreSometimesAZeroOrOneForEachLabelAreRefused(string one, string other, string sentence)
    {
        string path = folder.Write("d.jsonl", $$"""{"text":"a","labels":{{one}}}""" + "\n" + $$"""{"text":"b","labels":{{other}}}""" + "\n");
        Assert.Contains(sentence, Assert.Throws<InputException>(() => DatasetFile.Load(path, Several)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[0]", "[1]", "0,1")]
    [InlineData("[0,1]", "[1]", "0,1")]
    [InlineData("[0,1]", "[2,5]", "0,1,2,5")]
    [InlineData("[]", "[1]", "1")]
    public void NumbersThatMayBeNamesAreNames(string one, string other, string names)
    {
        string path = folder.Write("d.jsonl", $$"""{"text":"a","labels":{{one}}}""" + "\n" + $$"""{"text":"b","labels":{{other}}}""" + "\n");
        Dataset data = DatasetFile.Load(path, Several);
        Assert.Equal(names.Split(','), data.LabelNames);
        Assert.Empty(data.Notes);
    }

    [Fact]
    public void LabelsThatAModelCallsZeroAndOneAreNames()
    {
        string path = folder.Write("d.jsonl", "{\"text\":\"a\",\"labels\":[0,1]}\n{\"text\":\"b\",\"labels\":[1,0]}\n");
        Assert.Equal([1, 1, 0], DatasetFile.Load(path, Several with { LabelNames = ["0", "1", "2"] }).Examples[0].Targets);
        // So are the numbers of LABEL_0, LABEL_1, …, which no other numbers of labels make places of.
        Assert.Equal([1, 1, 0], DatasetFile.Load(path, Several with { LabelNames = ["LABEL_0", "LABEL_1", "LABEL_2"] }).Examples[0].Targets);
        Assert.Contains(", line 1: label \"0\" found, expected one of x, y, z", Assert.Throws<InputException>(() => DatasetFile.Load(path, Several with { LabelNames = ["x", "y", "z"] })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("['a', 'b']", "['b']")]
    [InlineData("[\"a\",\"b\"]", "[\"b\"]")]
    [InlineData(" [ 'a' ,\"b\" ] ", "['b']")]
    [InlineData("['\\u0061', '\\x62']", "['b', 'b']")]
    public void AListInACellIsAList(string one, string other)
    {
        string path = folder.Write("d.tsv", $"text\tlabels\nx\t{one}\ny\t{other}\nz\t[]\nw\t\n");
        Dataset data = DatasetFile.Load(path, Several);
        Assert.Equal(["a", "b"], data.LabelNames);
        Assert.Equal([[1f, 1], [0, 1], [0, 0], [0, 0]], data.Examples.Select(example => example.Targets!.ToArray()));
    }

    [Theory]
    [InlineData("['it\\'s, \"so\"']", "it's, \"so\"")]
    [InlineData("[\"it's, so]\"]", "it's, so]")]
    [InlineData("[1, 'x|y']", "1", "x|y")]
    public void AnItemMayHaveWhatAListHas(string cell, params string[] items) => Assert.Equal(items, WrittenList.Read(cell));

    [Theory]
    [InlineData("[a, b]")]
    [InlineData("['a' 'b']")]
    [InlineData("['a',]")]
    [InlineData("['a', 'b]")]
    [InlineData("[,]")]
    [InlineData("['\\")]
    [InlineData("['\\u00]")]
    [InlineData("[['a']]")]
    [InlineData("[None]")]
    [InlineData("[nan]")]
    [InlineData("[1 0 1]")]
    public void WhatIsNoListIsNone(string cell) => Assert.Null(WrittenList.Read(cell.EndsWith(']') ? cell : cell + "]"));

    [Theory]
    [InlineData("['a', 'b']", "a", ", line 2: the labels \"['a', 'b']\" are a list, and those of line 3 are not; expected the same form in every row.")]
    [InlineData("a,b", "['a']", ", line 3: the labels \"['a']\" are a list, and those of line 2 are not; expected the same form in every row.")]
    [InlineData("['a']", "[b]", ", line 3: the labels \"[b]\" are no list that can be read, expected strings in quotes or numbers, such as ['a', 'b'].")]
    [InlineData("['a']", "['b', 'nan']", ", line 3: a label in the list is missing (\"nan\" found), expected labels or an empty list.")]
    public void AListInSomeCellsIsRefused(string one, string other, string sentence)
    {
        string path = folder.Write("d.tsv", $"text\tlabels\nx\t{one}\ny\t{other}\n");
        Assert.Contains(sentence, Assert.Throws<InputException>(() => DatasetFile.Load(path, Several)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData('|')]
    [InlineData(';')]
    public void AnotherSeparatorIsSuggested(char separator)
    {
        string path = folder.Write("d.tsv", $"text\tlabels\nx\ta\ny\ta{separator}b\nz\tb{separator} c\n");
        Assert.Equal([$"{path}: line 3 has the one label \"a{separator}b\"; \"{separator}\" is in 2 lines, and no line has the separator \",\"; if several labels are meant, say --label-separator \"{separator}\""], DatasetFile.Load(path, Several).Notes);
        Assert.Empty(DatasetFile.Load(path, Several with { LabelSeparator = $"{separator}" }).Notes);
        Assert.Empty(DatasetFile.Load(folder.Write("e.tsv", $"text\tlabels\nx\ta,b\ny\ta{separator}b\n"), Several).Notes);
    }
}
