using LoRA2.Native.Cli;
using LoRA2.Native.Cli.Distribution;
using LoRA2.Native.Cli.Text;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Distributed.Tests.InProcess;

/// <summary>The folder of shards beside a file of answers.</summary>
public sealed class SharedOutputTests : IDisposable
{
    private const string Identity = "input A\nmodel B\nadapter\narithmetic vectors of Vector256\noptions E";

    private readonly TemporaryFolder folder = new();

    private string Answers => folder.File("answers.txt");

    private string Shards => Answers + ".shards";

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AFolderOfSomethingElseIsRefusedAndStays()
    {
        Directory.CreateDirectory(Shards);
        string file = Path.Combine(Shards, "thesis.txt");
        File.WriteAllText(file, "mine");
        Assert.Contains(Shards, Assert.Throws<InputException>(() => Make(_ => Identity)).Message, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(file));
    }

    [Fact]
    public void OnlyWhatWasMadeThereIsTakenAway()
    {
        Assert.Throws<InputException>(() => Make(_ => Identity, wrong: "b"));
        string file = Path.Combine(Shards, "my.answers");
        File.WriteAllText(file, "mine");
        Make(_ => Identity.Replace('A', 'C'));
        Assert.Equal("abc", File.ReadAllText(Answers));
        Assert.Equal([file], Directory.EnumerateFileSystemEntries(Shards));
    }

    [Fact]
    public void TwoRunsDoNotMakeTheSameFile() => Members.Each(1, member =>
    {
        using var first = new SharedOutput(member, Answers, Identity);
        Assert.Contains("another process writes to this folder", Assert.Throws<InputException>(() => new SharedOutput(member, Answers, Identity)).Message, StringComparison.Ordinal);
        return 0;
    });

    [Theory]
    [InlineData("vectors of Vector256", "vectors of Vector512", "has other arithmetic vectors of Vector512, which rounds differently from process 0's vectors of Vector256")]
    [InlineData("model B", "model C", "has another model than process 0")]
    public void WhatAProcessHasOtherwiseIsNamed(string here, string there, string expected)
    {
        InputException e = Assert.Throws<InputException>(() => Make(rank => rank == 1 ? Identity.Replace(here, there, StringComparison.Ordinal) : Identity));
        Assert.Contains("process 1 of 2 on ", e.Message, StringComparison.Ordinal);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherVocabularyIsAnotherModel()
    {
        string fixture = Path.Combine(SharedData.Repository, "tests", "Fixtures", "cases", "05-adapters-in-a-loop", "base"), input = folder.Write("input.txt", "a\n"), at = folder.File("model");
        Directory.CreateDirectory(at);
        foreach (string file in Directory.GetFiles(fixture)) File.WriteAllBytes(Path.Combine(at, Path.GetFileName(file)), File.ReadAllBytes(file));
        using SequenceClassifier model = SequenceClassifier.FromFolder(at);
        string before = Identity();
        Assert.Equal(before, Identity());
        File.AppendAllText(Path.Combine(at, "vocab.txt"), "more\n");
        Assert.NotEqual(before, Identity());

        string Identity() => SharedOutput.IdentityOf(input, model, new ModelLocation(at, null), []);
    }

    /// <summary>Two members answer each of three lines with itself.</summary>
    private void Make(Func<int, string> identity, string? wrong = null)
    {
        string input = folder.Write("input.txt", "a\nb\nc\n");
        Members.Each(2, member =>
        {
            using var shared = new SharedOutput(member, Answers, identity(member.Rank));
            return shared.Make(
                input, 1, (LineReader lines, byte[] line) => lines.Decode(line) is var text && text == wrong ? throw lines.Error("wrong") : text,
                (some, stream) =>
                {
                    foreach (string text in some) stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
                    return 0;
                },
                (shards, stream) =>
                {
                    foreach (Stream shard in shards) shard.CopyTo(stream);
                });
        });
    }
}
