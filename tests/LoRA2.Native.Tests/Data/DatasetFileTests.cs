using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

public sealed class DatasetFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("d.tsv", "text\tlabel\nsay \"hi\"\tb\n\nbye, now\ta")]
    [InlineData("d.csv", "text,label\n\"say \"\"hi\"\"\",b\n\n\"bye, now\",a")]
    [InlineData("d.csv", "\uFEFFlabel,text\r\nb,\"say \"\"hi\"\"\"\r\na,\"bye, now\"\r\n")]
    [InlineData("d.jsonl", "{\"text\":\"say \\\"hi\\\"\",\"label\":\"b\"}\n\n{\"label\":\"a\",\"text\":\"bye, now\",\"more\":[1]}\n")]
    [InlineData("d.ndjson", "{\"text\":\"say \\\"hi\\\"\",\"label\":\"b\",\"id\":{}}\r\n{\"label\":\"a\",\"text\":\"bye, now\"}")]
    public void EveryFormat(string file, string content)
    {
        Dataset data = DatasetFile.Load(_folder.Write(file, content));
        Assert.Equal([new("say \"hi\"", null, 1), new("bye, now", null, 0)], data.Examples);
        Assert.Equal(["a", "b"], data.LabelNames!);
        Assert.Equal(file, data.Name);
    }

    [Fact]
    public void QuotedFieldsHoldLineEnds()
    {
        Dataset data = DatasetFile.Load(_folder.Write("d.csv", "text,text_pair,label\n\"two\nlines\",\"\",x\n,\"a\"\"\",y\n"));
        Assert.Equal([new("two\nlines", "", 0), new("", "a\"", 1)], data.Examples);
    }

    [Fact]
    public void NamedColumnsAndDefaults()
    {
        string path = _folder.Write(
            "d.tsv", "sentence1\tsentence2\tlabel\tq\ta\tgold\none\ttwo\t0\tthree\tfour\t7\nfive\tsix\t1\tseven\teight\t8\n");
        Assert.Equal([new("one", "two", 0), new("five", "six", 1)], DatasetFile.Load(path).Examples);
        Dataset named = DatasetFile.Load(path, new() { TextColumn = "q", PairColumn = "a", LabelColumn = "gold" });
        Assert.Equal([new("three", "four", 0), new("seven", "eight", 1)], named.Examples);
        Assert.Equal(["7", "8"], named.LabelNames!);
    }

    [Fact]
    public void WholeNumbersFromZeroAreTheirOwnIndex()
    {
        string rows = string.Concat(Enumerable.Range(0, 12).Reverse().Select(i => $"t{i}\t{i}\n"));
        Dataset data = DatasetFile.Load(_folder.Write("d.tsv", "text\tlabel\n" + rows));
        Assert.Equal(Enumerable.Range(0, 12).Select(i => i.ToString()), data.LabelNames!);
        Assert.All(data.Examples, e => Assert.Equal(e.Text, $"t{e.Label}"));
        // These are names, not indexes: 1 … 2, and a zero too many.
        Assert.Equal(["1", "2"], DatasetFile.Load(_folder.Write("d.tsv", "text\tlabel\na\t2\nb\t1\n")).LabelNames!);
        Assert.Equal(["0", "01"], DatasetFile.Load(_folder.Write("d.tsv", "text\tlabel\na\t01\nb\t0\n")).LabelNames!);
    }

    [Fact]
    public void JsonNumbersAndTruthValuesAreLabels()
    {
        Dataset data = DatasetFile.Load(_folder.Write("d.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\",\"label\":0}\n"));
        Assert.Equal([1, 0], data.Examples.Select(e => e.Label));
        data = DatasetFile.Load(_folder.Write("d.jsonl", "{\"text\":\"a\",\"label\":true}\n{\"text\":\"b\",\"label\":false}\n"));
        Assert.Equal(["false", "true"], data.LabelNames!);
    }

    [Fact]
    public void Scores()
    {
        Dataset data = DatasetFile.Load(_folder.Write("d.csv", "text,score\na,1.5\nb,-2e1\n"), new() { Kind = TaskKinds.Regression });
        Assert.Equal([1.5f, -20f], data.Examples.Select(e => e.Target!.Value));
        Assert.Null(data.LabelNames);
    }

    [Fact]
    public void TheTrainingDataNamesTheLabels()
    {
        string path = _folder.Write("d.tsv", "text\tlabel\na\ty\n");
        Assert.Equal(2, DatasetFile.Load(path, new() { LabelNames = ["w", "x", "y"] }).Examples[0].Label);
        var e = Assert.Throws<InputException>(() => DatasetFile.Load(path, new() { LabelNames = ["w", "x"] }));
        Assert.Equal($"{path}, line 2: label \"y\" found, expected one of w, x.", e.Message);
    }

    [Fact]
    public void LabelsMayBeAbsentWhenNotRequired()
    {
        string path = _folder.Write("d.tsv", "text\na\n");
        Assert.False(DatasetFile.Load(path, new() { RequireLabels = false }).HasTargets);
        var e = Assert.Throws<InputException>(() => DatasetFile.Load(path));
        Assert.Equal($"{path}: the columns are text, expected a label column label or score.", e.Message);
    }

    [Theory]
    [InlineData("d.tsv", "text\tlabel\na\tx\nb\n", ", line 3: 1 field found, 2 expected.")]
    [InlineData("d.csv", "text,label\n\"a\nb\",x\nc,d,e\n", ", line 4: 3 fields found, 2 expected.")]
    [InlineData("d.csv", "text,label\n\n\na,x\n\nb\n", ", line 6: 1 field found, 2 expected.")]
    [InlineData("d.csv", "text,label\na,x\n\"b,y\nc,z\n", ", line 3: a quoted field is not closed, expected a second quote.")]
    [InlineData("d.csv", "text,label\na \"b\",x\n",
        ", line 2: a quote stands inside a field, expected \"\" in a field that is quoted whole.")]
    [InlineData("d.csv", "text,label\n\"a\" b,x\n",
        ", line 2: a quote stands inside a field, expected \"\" in a field that is quoted whole.")]
    [InlineData("d.jsonl", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\n",
        ", line 2: the line is not valid JSON (byte 12), expected one object.")]
    [InlineData("d.jsonl", "[1]\n", ", line 1: Array found, expected one JSON object.")]
    [InlineData("d.jsonl", "{\"text\":\"a\",\"text\":\"b\",\"label\":1}\n", ", line 1: field \"text\" appears twice, expected once.")]
    [InlineData("d.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"label\":0}\n",
        ", line 2: field \"text\" is missing or not a plain value, expected a string.")]
    [InlineData("d.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\",\"label\":null}\n",
        ", line 2: field \"label\" is missing or not a plain value, expected a string.")]
    [InlineData("d.jsonl", "{\"text\":\"\\ud800\",\"label\":1}\n", ", line 1: a string is not valid Unicode, expected JSON in UTF-8.")]
    [InlineData("d.tsv", "text\ttext\tlabel\na\tb\tx\n", ", line 1: column \"text\" appears twice in the header, expected each name once.")]
    [InlineData("d.tsv", "body\tlabel\na\tx\n", ": the columns are body, label, expected a text column text or sentence or sentence1.")]
    [InlineData("d.tsv", "text\tlabel\na\tx\nb\tx\n", ": every label is \"x\", expected at least two classes.")]
    [InlineData("d.tsv", "text\tlabel\na\t0.5\nb\t1\n",
        ": the labels are numbers with fractions (0.5, …), expected classes, or regression to be asked for.")]
    [InlineData("d.tsv", "text\tlabel\n", ": no examples found, expected at least one row.")]
    [InlineData("d.csv", "", ": no examples found, expected at least one row.")]
    [InlineData("d.jsonl", "\n\n", ": no examples found, expected at least one row.")]
    [InlineData("d.doc", "a\n", ": the file's name ends in \".doc\", expected .tsv, .csv, .jsonl, .conll or .txt.")]
    public void BadFiles(string file, string content, string message)
    {
        string path = _folder.Write(file, content);
        Assert.Equal(path + message, Assert.Throws<InputException>(() => DatasetFile.Load(path)).Message);
    }

    [Theory]
    [InlineData("text\tscore\na\tx\n", ", line 2: score \"x\" found, expected a finite number.")]
    [InlineData("text\tscore\na\t1\nb\tInfinity\n", ", line 3: score \"Infinity\" found, expected a finite number.")]
    public void BadScores(string content, string message)
    {
        string path = _folder.Write("d.tsv", content);
        Assert.Equal(path + message, Assert.Throws<InputException>(() => DatasetFile.Load(path, new() { Kind = TaskKinds.Regression })).Message);
    }

    [Fact]
    public void MissingFileAndInvalidUtf8()
    {
        string path = _folder.File("none.csv");
        Assert.Equal($"{path}: there is no such file, expected a data file.",
            Assert.Throws<InputException>(() => DatasetFile.Load(path)).Message);
        path = _folder.Write("bad.csv", [.. "text,label\n\"a\nb"u8, 0xFF, .. "\",x\n"u8]);
        Assert.Equal($"{path}, line 3: byte 2 of the line is not valid UTF-8, expected text in UTF-8.",
            Assert.Throws<InputException>(() => DatasetFile.Load(path)).Message);
    }

    [Theory]
    [InlineData("d.csv", "text,label\na,pos\nb,neg\nc,\n", "line 4: the label is missing (\"\" found)")]
    [InlineData("d.csv", "text,label\na,0\nb,nan\nc,1\n", "line 3: the label is missing (\"nan\" found)")]
    [InlineData("d.tsv", "text\tlabel\na\t0\nb\t1\nc\tNULL\n", "line 4: the label is missing (\"NULL\" found)")]
    [InlineData("d.tsv", "text\tlabel\na\t0\nb\t1\nc\t  \n", "line 4: the label is missing")]
    [InlineData("d.jsonl", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\"label\":\"\"}\n", "line 2: the label is missing")]
    public void AnUnlabelledRowIsNoClass(string file, string content, string sentence)
    {
        string path = _folder.Write(file, content);
        Assert.Contains(sentence, Assert.Throws<InputException>(() => DatasetFile.Load(path)).Message, StringComparison.Ordinal);
        Assert.Contains(sentence, Assert.Throws<InputException>(() => DatasetFile.Load(path, new() { LabelNames = ["0", "1", "neg", "pos", "x"] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AClassThatIsCalledNullIsOneWhereTheModelNamesIt() =>
        Assert.Equal(1, DatasetFile.Load(_folder.Write("d.tsv", "text\tlabel\na\tnull\n"), new() { LabelNames = ["some", "null"] }).Examples[0].Label);

    [Theory]
    [InlineData("text\tlabel\n\"she said \"\"good\"\" twice\"\tpos\na bad film\tneg\n", "she said \"good\" twice", "quoted as pandas")]
    [InlineData("text\tlabel\n\"one\ttwo\"\tpos\na bad film\tneg\n", "one\ttwo", "quoted as pandas")]
    [InlineData("text\tlabel\n\"one\ntwo\"\tpos\n\na bad film\tneg\n", "one\ntwo", "quoted as pandas")]
    [InlineData("\"text\"\t\"label\"\n\"good film\"\t1\n\"bad\"\t0\n", "good film", "quoted as pandas")]
    [InlineData("text\tlabel\n\"good film\"\tpos\nbad\tneg\n", "\"good film\"", "quotes are text in .tsv and were kept")]
    [InlineData("text\tlabel\nsay \"hi\"\tpos\n\"so \"\"be\"\" it\"\tneg\n", "say \"hi\"", null)]
    [InlineData("text\tlabel\n\"open\tpos\nbad\tneg\n", "\"open", null)]
    public void QuotingOfATsvIsToldFromQuotes(string content, string first, string? note)
    {
        Dataset data = DatasetFile.Load(_folder.Write("d.tsv", content));
        Assert.Equal(first, data.Examples[0].Text);
        Assert.Equal(2, data.Examples.Count);
        if (note is null) Assert.Empty(data.Notes);
        else Assert.Contains(note, Assert.Single(data.Notes), StringComparison.Ordinal);
    }
}
