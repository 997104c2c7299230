using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

/// <summary>What the labels of data are called in a model.</summary>
public sealed class LabelMapTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("{\"pos\":\"POSITIVE\",\"neg\":\"NEGATIVE\"}", "POSITIVE,NEGATIVE", "pos", "neg")]
    [InlineData("{\"1\":\"POSITIVE\",\"0\":\"NEGATIVE\"}", "NEGATIVE,POSITIVE", "1", "0")]
    [InlineData("{\"POSITIVE\":1,\"NEGATIVE\":0}", "NEGATIVE,POSITIVE", "1", "Negative")]
    [InlineData("{\"model_type\":\"bert\",\"id2label\":{\"0\":\"NEGATIVE\",\"1\":\"POSITIVE\"}}", "NEGATIVE,POSITIVE", "positive", "0")]
    [InlineData("{\"pos\":\"POSITIVE\",\"good\":\"POSITIVE\",\"bad\":\"NEGATIVE\"}", "POSITIVE,NEGATIVE", "good", "negative")]
    public void EveryFormOfAMapGivesTheModelsNames(string json, string names, string positive, string negative)
    {
        LabelMap map = LabelMap.Read(folder.Write("map.json", json));
        Assert.Equal(names.Split(','), map.Names);
        Assert.Equal(("POSITIVE", "NEGATIVE", null), (map.Of(positive), map.Of(negative), map.Of("neutral")));
    }

    [Fact]
    public void LabelsOfDataBecomeTheModelsClasses()
    {
        string file = folder.Write("d.csv", "text,label\na,good\nb,bad\nc,good\n");
        var map = new LabelMap(new Dictionary<string, string> { ["good"] = "POSITIVE", ["bad"] = "NEGATIVE" });
        Dataset data = DatasetFile.Load(file, new DatasetOptions { LabelMap = map });
        Assert.Equal(["POSITIVE", "NEGATIVE"], data.LabelNames);
        Assert.Equal([0, 1, 0], data.Examples.Select(example => example.Label));
        data = DatasetFile.Load(file, new DatasetOptions { LabelMap = map, LabelNames = ["NEGATIVE", "NEUTRAL", "POSITIVE"] });
        Assert.Equal([2, 0, 2], data.Examples.Select(example => example.Label));
        Dataset several = DatasetFile.Load(folder.Write("several.tsv", "text\tlabels\na\tgood,bad\nb\t\n"), new DatasetOptions { LabelMap = map, Kind = TaskKinds.MultiLabel });
        Assert.Equal([1, 1], several.Examples[0].Targets);
        Assert.Equal([0, 0], several.Examples[1].Targets);
    }

    [Theory]
    [InlineData("{}", "map.json: there is no label, expected")]
    [InlineData("[]", "map.json: Array found, expected an object")]
    [InlineData("{\"a\":\"X\",\"a\":\"Y\"}", "map.json: the label \"a\" appears twice, expected once")]
    [InlineData("{\"a\":\"\"}", "map.json: a name of a label is empty")]
    [InlineData("{\"a\":[1]}", "map.json: \"a\" is mapped to \"[1]\", expected the model's name")]
    [InlineData("{\"a\":0,\"b\":0}", "map.json: \"b\" has the number \"0\", expected 0 … 1, each once")]
    [InlineData("{\"model_type\":\"bert\"}", "map.json: the config has no id2label")]
    [InlineData("{\"a\":", "map.json: not valid JSON")]
    [InlineData("{\"good\":\"POSITIVE\",\"x\":\"NEGATIVE\"}", "d.csv, line 3: label \"bad\" found, expected one of the label map's, good, x")]
    [InlineData("{\"good\":\"POSITIVE\",\"bad\":\"POSITIVE\"}", "d.csv: every label is mapped to \"POSITIVE\"")]
    [InlineData("{\"0\":1,\"1\":0}", "map.json: \"0\" has the number 1, which may be the label of the data or of the model")]
    public void AMapThatIsNoneIsRefused(string json, string sentence)
    {
        string file = folder.Write("d.csv", "text,label\na,good\nb,bad\n"), path = folder.Write("map.json", json);
        Assert.Contains(sentence, Assert.Throws<InputException>(() => DatasetFile.Load(file, new DatasetOptions { LabelMap = LabelMap.Read(path) })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMapToOtherNamesThanTheModelsOrForAKindWithoutNamesIsRefused()
    {
        string file = folder.Write("d.csv", "text,label\na,good\nb,bad\n");
        var map = new LabelMap(new Dictionary<string, string> { ["good"] = "POSITIV", ["bad"] = "NEGATIVE" });
        Assert.Contains("\"good\" is mapped to \"POSITIV\", expected one of NEGATIVE, POSITIVE", Assert.Throws<InputException>(() => DatasetFile.Load(file, new DatasetOptions { LabelMap = map, LabelNames = ["NEGATIVE", "POSITIVE"] })).Message, StringComparison.Ordinal);
        Assert.Contains("a label map is for classification and multi-label; the task is regression", Assert.Throws<InputException>(() => DatasetFile.Load(file, new DatasetOptions { LabelMap = map, Kind = TaskKinds.Regression })).Message, StringComparison.Ordinal);
    }
}
