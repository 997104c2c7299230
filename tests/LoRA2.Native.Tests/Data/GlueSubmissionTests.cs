using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

public sealed class GlueSubmissionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("CoLA", "index\tsentence\n0\ta\n1\tb\n", "0\t0\n1\t1\n")]
    [InlineData("SST-2", "index\tsentence\n7\ta\n3\tb\n", "7\t0\n3\t1\n")]
    [InlineData("MRPC", "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t5\t6\ta\tb\n1\t7\t8\tc\td\n", "0\t0\n1\t1\n")]
    [InlineData("QQP", "id\tquestion1\tquestion2\n4\ta\tb\n5\tc\td\n", "4\t0\n5\t1\n")]
    [InlineData("QNLI", "index\tquestion\tsentence\n0\ta\tb\n1\tc\td\n", "0\tentailment\n1\tnot_entailment\n")]
    [InlineData("RTE", "sentence1\tsentence2\na\tb\nc\td\n", "0\tentailment\n1\tnot_entailment\n")]
    public void ClassesAreWrittenByNameUnderTheFilesOwnIndex(string task, string test, string rows)
    {
        Assert.Equal("index\tprediction\n" + rows, Written(task, test, 0, 1));
        Assert.Equal($"{task}.tsv", Assert.Single(GlueTask.Get(task).SubmissionFiles).Value);
    }

    [Fact]
    public void ScoresHaveThreeDecimalsAndStayWithinTheTasksBounds()
    {
        string test = "index\tgenre\tsentence1\tsentence2\n0\tg\ta\tb\n1\tg\tc\td\n2\tg\te\tf\n3\tg\tg\th\n";
        Assert.Equal("index\tprediction\n0\t0.000\n1\t5.000\n2\t3.142\n3\t2.000\n", Written("STS-B", test, -0.75f, 5.2f, 3.14159f, 2));
        string path = folder.File("STS-B.tsv");
        var e = Assert.Throws<InputException>(() => Written("STS-B", test, 1, 2, float.NaN, 4));
        Assert.Equal("STS-B test: the model predicts NaN for example 3, expected a finite number.", e.Message);
        Assert.Contains("3.142", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Fact]
    public void EveryRowIsNeeded()
    {
        var e = Assert.Throws<InputException>(() => Written("QQP", "id\tquestion1\tquestion2\n0\ta\tb\n1\tbroken\n2\tc\td\n", 0, 1));
        Assert.Equal("QQP test: rows of the file that cannot be used: 1, expected none, for the server wants a prediction of each.", e.Message);
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    private string Written(string name, string test, params float[] predictions)
    {
        folder.Write("test.tsv", test);
        GlueTask task = GlueTask.Get(name);
        string path = folder.File($"{name}.tsv");
        GlueSubmission.Write(path, task, task.Load(folder.Path, "test"), predictions);
        return File.ReadAllText(path);
    }
}
