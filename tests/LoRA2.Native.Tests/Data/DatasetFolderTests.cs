using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

/// <summary>Data sets as folders, and parts of a data set.</summary>
public sealed class DatasetFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("train", "train.csv")]
    [InlineData("train", "data/train-00000-of-00002.csv", "data/train-00001-of-00002.csv")]
    [InlineData("train", "train/0000.jsonl", "train/0001.jsonl")]
    [InlineData("validation", "valid.tsv")]
    [InlineData("validation", "data/dev-00000-of-00001.tsv")]
    [InlineData("validation", "val/part.tsv")]
    [InlineData("train", "my_train_set.json")]
    public void ASplitsFilesAreFoundWhereDataSetsHaveThem(string split, params string[] files)
    {
        foreach (string file in (string[])[.. files, "README.md", "trainer.csv", "testing.csv", "dataset_info.json"]) Write(file, "");
        Assert.Equal(files.Select(file => folder.File(file)), DatasetFolder.FilesOf(folder.Path, split));
    }

    [Fact]
    public void PartsOfASplitAreOneDataSet()
    {
        Write("data/train-00000-of-00002.csv", "text,label\na,x\nb,y\n");
        Write("data/train-00001-of-00002.csv", "text,label\nc,x\n");
        Dataset data = DatasetFile.Load(folder.Path, new DatasetOptions { Split = "train" });
        Assert.Equal(["a", "b", "c"], data.Examples.Select(example => example.Text));
        Assert.Equal(["x", "y"], data.LabelNames);
        Write("data/train-00001-of-00002.csv", "text,intent\nc,x\n");
        Refused("the columns are text, intent, expected those of", "train");
    }

    [Fact]
    public void AFolderOfPartsAloneIsOneSplit()
    {
        Write("dataset_info.json", "{}");
        Write("data-00000-of-00002.json", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\"label\":\"y\"}\n");
        Write("data-00001-of-00002.json", "{\"text\":\"c\",\"label\":\"x\"}\n");
        Assert.Equal(["a", "b", "c"], DatasetFile.Load(folder.Path, new DatasetOptions { Split = "validation" }).Examples.Select(example => example.Text));
        Assert.Empty(DatasetFolder.FilesOf(folder.Path, "validation"));
        Write("part.csv", "text,label\na,x\n");
        Refused("the data set is there as JSON Lines and as comma-separated values", "validation");
    }

    [Fact]
    public void WhatIsMissingOrInAnotherFormatIsSaid()
    {
        Write("train.csv", "text,label\na,x\n");
        Refused("there is no file of the split validation", "validation");
        Write("train.tsv", "text\tlabel\na\tx\n");
        Refused("split train is there as comma-separated values and as tab-separated values", "train");
        using var arrow = new TemporaryFolder();
        Directory.CreateDirectory(arrow.File("train"));
        arrow.Write("train/data-00000-of-00001.arrow", "");
        arrow.Write("train/dataset_info.json", "{\n  \"builder_name\": \"csv\"\n}\n");
        arrow.Write("train/state.json", "{\n}\n");
        InputException e = Assert.Throws<InputException>(() => DatasetFile.Load(arrow.Path, new DatasetOptions { Split = "train" }));
        Assert.Contains("is in Arrow's format", e.Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => DatasetFile.Load(folder.Path));
    }

    [Fact]
    public void EveryClassIsHeldOutAlikeAndTheSeedDecidesWhich()
    {
        var data = new Dataset("d", [.. Enumerable.Range(0, 200).Select(i => new Example($"t{i}", Target: i < 150 ? 0 : i < 195 ? 1 : 2))], ["a", "b", "c"]);
        (Dataset rest, Dataset held) = data.Split(0.2, 5)!.Value;
        Assert.Equal([30, 9, 1], [.. Enumerable.Range(0, 3).Select(label => held.Examples.Count(example => example.Label == label))]);
        Assert.Equal("held out of d", held.Name);
        Assert.Equal(data.Examples.Order(Comparer<Example>.Create((a, b) => string.CompareOrdinal(a.Text, b.Text))), rest.Examples.Concat(held.Examples).Order(Comparer<Example>.Create((a, b) => string.CompareOrdinal(a.Text, b.Text))));
        Assert.Equal(held.Examples, data.Split(0.2, 5)!.Value.HeldOut.Examples);
        Assert.NotEqual(held.Examples, data.Split(0.2, 6)!.Value.HeldOut.Examples);
        Assert.Null(data.Split(0, 5));
        Assert.Null(new Dataset("one", [new Example("a", Target: 0), new Example("b", Target: 1)], ["x", "y"]).Split(0.9, 1));
        Assert.Equal(20, new Dataset("numbers", [.. Enumerable.Range(0, 100).Select(i => new Example("t", Target: i))], null).Split(0.2, 1)!.Value.HeldOut.Examples.Count);
    }

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder.File(name))!);
        folder.Write(name, text);
    }

    private void Refused(string sentence, string split) =>
        Assert.Contains(sentence, Assert.Throws<InputException>(() => DatasetFile.Load(folder.Path, new DatasetOptions { Split = split })).Message, StringComparison.Ordinal);
}
