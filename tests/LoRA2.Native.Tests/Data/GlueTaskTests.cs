using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

public sealed class GlueTaskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void CoLAHasNoHeaderButItsTestHas()
    {
        _folder.Write("train.tsv", "gj04\t1\t\tThe \"sailors\" rode.\nbc01\t0\t*\tsentence label of two\u2028lines");
        _folder.Write("test.tsv", "index\tsentence\n0\tBill whistled.\n");
        Dataset train = GlueTask.Get("CoLA").Load(_folder.Path, "train");
        Assert.Equal([new("The \"sailors\" rode.", null, 1), new("sentence label of two\u2028lines", null, 0)], train.Examples);
        Assert.Equal("CoLA train", train.Name);
        Assert.True(train.HasTargets);
        Dataset test = GlueTask.Get("CoLA").Load(_folder.Path, "test");
        Assert.Equal([new Example("Bill whistled.")], test.Examples);
        Assert.False(test.HasTargets);
    }

    [Fact]
    public void ByteOrderMarkAndCarriageReturns()
    {
        _folder.Write("dev.tsv", "\uFEFFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t12\t34\tHe said \"so.\tShe\" said so.\r\n");
        Assert.Equal([new("He said \"so.", "She\" said so.", 1)], GlueTask.Get("mrpc").Load(_folder.Path, "dev").Examples);
    }

    [Theory]
    [InlineData("SST-2", "sentence\tlabel\na b \t1\n", "a b ", null, 1f)]
    [InlineData("STS-B", "index\tgenre\tsource1\tsource2\tsentence1\tsentence2\tscore\n0\tg\ts\tt\ta\tb\t3.800\n", "a", "b", 3.8f)]
    [InlineData("RTE", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tnot_entailment\n", "a", "b", 1f)]
    [InlineData("QNLI", "index\tquestion\tsentence\tlabel\n0\ta\tb\tentailment\n", "a", "b", 0f)]
    [InlineData("QQP", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n0\t1\t2\ta\tb\t1\n", "a", "b", 1f)]
    public void EveryTask(string name, string content, string text, string? pair, float target)
    {
        _folder.Write("train.tsv", content);
        GlueTask task = GlueTask.Get(name);
        Dataset data = task.Load(_folder.Path, "Train");
        Assert.Equal([new Example(text, pair, target)], data.Examples);
        Assert.Equal(task.IsRegression, data.LabelNames is null);
    }

    [Fact]
    public void MnliHasTwoDevelopmentSetsAndRowsWithoutAGoldLabel()
    {
        string header = "index\tsentence1\tsentence2\tlabel1\tgold_label\n";
        _folder.Write("dev_matched.tsv", header + "0\ta\tb\tneutral\tneutral\n1\tc\td\tneutral\t-\n2\te\tf\tx\tcontradiction\n");
        _folder.Write("dev_mismatched.tsv", header + "0\tg\th\tx\tentailment\n");
        _folder.Write("test_matched.tsv", "index\tsentence1\tsentence2\n0\ta\tb\n");
        GlueTask mnli = GlueTask.Get("mnli");
        Dataset matched = mnli.Load(_folder.Path, "dev");
        Assert.Equal([new("a", "b", 1), new("e", "f", 2)], matched.Examples);
        Assert.Equal(1, matched.SkippedRows);
        Assert.Equal(["entailment", "neutral", "contradiction"], matched.LabelNames!);
        Assert.Equal([new("g", "h", 0)], mnli.Load(_folder.Path, "dev_mismatched").Examples);
        Assert.False(mnli.Load(_folder.Path, "test").HasTargets);
    }

    [Fact]
    public void QqpsBrokenRowsAreLeftOutAndCounted()
    {
        _folder.Write("train.tsv",
            "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n0\t1\t2\ta\tb\t1\n1\t3\t4\tbroken\n rest\tb\t0\n2\t5\t6\tc\td\t0\n");
        Dataset data = GlueTask.Get("qqp").Load(_folder.Path, "train");
        Assert.Equal([new("a", "b", 1), new("c", "d", 0)], data.Examples);
        Assert.Equal(2, data.SkippedRows);
    }

    [Fact]
    public void TheFolderAboveWillDo()
    {
        Directory.CreateDirectory(_folder.File("SST-2"));
        _folder.Write("SST-2/dev.tsv", "sentence\tlabel\na\t0\n");
        Assert.Single(GlueTask.Get("sst2").Load(_folder.Path, "dev").Examples);
    }

    [Theory]
    [InlineData("cola", "CoLA")]
    [InlineData("SST2", "SST-2")]
    [InlineData("sts-b", "STS-B")]
    [InlineData("stsb", "STS-B")]
    [InlineData("sts_b", "STS-B")]
    [InlineData("QnLi", "QNLI")]
    public void NamesInAnySpelling(string spelling, string name) => Assert.Equal(name, GlueTask.Get(spelling).Name);

    [Theory]
    [InlineData("SST-2", "sentence\tlabel\na\t0\nb\n", "line 3: 1 field found, 2 expected.")]
    [InlineData("SST-2", "sentence\tlabel\na\tb\t0\n", "line 2: 3 fields found, 2 expected.")]
    [InlineData("SST-2", "sentence\tlabel\na\t2\n", "line 2: label \"2\" found, expected one of 0, 1.")]
    [InlineData("SST-2", "text\tlabel\na\t1\n", "line 1: no column \"sentence\" found in the header, expected it among text, label.")]
    [InlineData("SST-2", "index\tsentence\n0\ta\n", "line 1: no column \"label\" found in the header, expected it among index, sentence.")]
    [InlineData("RTE", "sentence1\tsentence2\tlabel\na\tb\tneutral\n",
        "line 2: label \"neutral\" found, expected one of entailment, not_entailment.")]
    [InlineData("STS-B", "sentence1\tsentence2\tscore\na\tb\t5.1\n", "line 2: score \"5.1\" found, expected a number from 0 to 5.")]
    [InlineData("STS-B", "sentence1\tsentence2\tscore\na\tb\tNaN\n", "line 2: score \"NaN\" found, expected a number from 0 to 5.")]
    [InlineData("CoLA", "gj04\t1\t\tfine.\ngj04\t1\tfine.\n", "line 2: 3 fields found, 4 expected.")]
    public void BadRows(string task, string content, string message)
    {
        string path = _folder.Write("train.tsv", content);
        var e = Assert.Throws<InputException>(() => GlueTask.Get(task).Load(_folder.Path, "train"));
        Assert.Equal($"{path}, {message}", e.Message);
    }

    [Fact]
    public void InvalidUtf8()
    {
        string path = _folder.Write("train.tsv", [.. "sentence\tlabel\nfine\t0\na"u8, 0xE9, .. " b\t1\n"u8]);
        var e = Assert.Throws<InputException>(() => GlueTask.Get("sst-2").Load(_folder.Path, "train"));
        Assert.Equal($"{path}, line 3: byte 2 of the line is not valid UTF-8, expected text in UTF-8.", e.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\uFEFF")]
    [InlineData("sentence\tlabel\n")]
    [InlineData("sentence\tlabel\n\n\n")]
    public void NoExamples(string content)
    {
        string path = _folder.Write("train.tsv", content);
        var e = Assert.Throws<InputException>(() => GlueTask.Get("sst-2").Load(_folder.Path, "train"));
        Assert.Equal($"{path}: no examples found, expected at least one row.", e.Message);
    }

    [Fact]
    public void MissingFilesSplitsAndTasks()
    {
        var e = Assert.Throws<InputException>(() => GlueTask.Get("rte").Load(_folder.Path, "dev"));
        Assert.Equal(
            $"{_folder.File("dev.tsv")}: there is no such file (nor {_folder.File(Path.Combine("RTE", "dev.tsv"))}), expected the dev split of RTE.", e.Message);
        e = Assert.Throws<InputException>(() => GlueTask.Get("rte").Load(_folder.Path, "valid"));
        Assert.Equal("RTE has no split \"valid\", expected one of train, dev, test.", e.Message);
        e = Assert.Throws<InputException>(() => GlueTask.Get("wnli"));
        Assert.Equal("task \"wnli\" is unknown, expected one of CoLA, SST-2, MRPC, STS-B, RTE, QQP, MNLI, QNLI.", e.Message);
    }
}
