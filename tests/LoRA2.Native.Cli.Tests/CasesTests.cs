using System.Text.Json;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

/// <summary>Situations from public bug reports, each with the right value and where it comes from in the README of its folder under Fixtures/cases.</summary>
public sealed class CasesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("data.csv", "data.csv, line 4: the label is missing")]
    [InlineData("nan.csv", "nan.csv, line 4: the label is missing (\"nan\" found)")]
    public void An_unlabelled_row_is_no_class(string file, string sentence)
    {
        string data = At("10-empty-label", file);
        string[] args = ["finetune", "--model", At("10-empty-label", "model"), "--train", data, "--dev", data, "--output", folder.File("out"), "--max-length", "32", "--max-steps", "1"];
        Assert.Contains(sentence, Lora2.Run(args).Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model", "data.tsv")]
    [InlineData("model-upper", "nli.tsv")]
    public void Labels_meet_by_name_whatever_their_spelling(string model, string file)
    {
        JsonElement json = Lora2.Run("evaluate", "--model", At("11-label-names", model), "--file", At("11-label-names", file), "--json").Done().Json;
        Assert.InRange(json.GetProperty("metrics").GetProperty("accuracy").GetDouble(), 0, 1);
        string other = folder.Write("other.tsv", "text\tlabel\ngood film\tham\nbad film\tspam\n");
        Assert.Contains("line 2: label \"ham\" found", Lora2.Run("evaluate", "--model", At("11-label-names", model), "--file", other).Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Emoji_of_today_are_unknown_not_nothing()
    {
        byte[] texts = File.ReadAllBytes(At("16-new-emoji", "text.jsonl"));
        foreach (string model in (string[])[At("16-new-emoji"), VocabularyAlone()])
        {
            int[][] ids = [.. Lora2.Run(texts, default, "tokenize", "--model", model, "--json-lines").Done().JsonLines
                .Select(line => line.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).ToArray())];
            Assert.Equal([2, 1, 3], ids[1]);
            Assert.Equal([2, 1, 3], ids[2]);
            Assert.Equal([2, 5, 1, 6, 3], ids[3]);
            Assert.Equal([2, 5, 1, 6, 3], ids[4]);
        }

        string VocabularyAlone()
        {
            Directory.CreateDirectory(folder.File("vocabulary"));
            foreach (string name in (string[])["vocab.txt", "tokenizer_config.json"]) File.Copy(At("16-new-emoji", name), Path.Combine(folder.File("vocabulary"), name));
            return folder.File("vocabulary");
        }
    }

    [Fact]
    public void Quoting_in_a_tsv_is_recognised_and_said()
    {
        CommandResult result = Lora2.Run("evaluate", "--model", At("13-peft-fields", "base"), "--file", At("14-quoted-tsv", "pandas.tsv")).Done();
        Assert.Contains("fields with quotes are quoted as pandas does it", result.Error, StringComparison.Ordinal);
    }

    private static string At(params string[] parts) => Path.Combine([SharedData.Repository, "tests", "Fixtures", "cases", .. parts]);
}
