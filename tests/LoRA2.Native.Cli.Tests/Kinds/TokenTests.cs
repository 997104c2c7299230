using System.Text;
using System.Text.Json;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests.Kinds;

public sealed class TokenTests : IDisposable
{
    private static readonly string[] Colours = ["red", "green", "blue"];
    private static readonly string[] Things = ["box", "car", "house", "tree"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void WordsWithTagsAreLearnedEvaluatedPredictedAndMerged()
    {
        string model = TinyModel.Write(folder), data = folder.Write("things.conll", Conll());
        string output = folder.File("out"), merged = folder.File("merged");
        JsonElement run = Lora2.Run(Finetune(model, data, output, "--json")).Done().Json;
        Assert.Equal("tokens", run.GetProperty("kind").GetString());
        // Always answering O finds nothing.
        Assert.True(run.GetProperty("metrics").GetProperty("entity_f1").GetDouble() > 0.5, run.GetProperty("metrics").ToString());
        Assert.Contains("By label", File.ReadAllText(Path.Combine(output, "report.html")), StringComparison.Ordinal);
        Assert.Contains("\"TOKEN_CLS\"", File.ReadAllText(Path.Combine(output, "adapter_config.json")), StringComparison.Ordinal);

        JsonElement score = Lora2.Run("evaluate", "--model", model, "--adapter", output, "--file", data, "--json").Done().Json;
        Assert.Equal(run.GetProperty("metrics").GetProperty("entity_f1").GetDouble(), score.GetProperty("metrics").GetProperty("entity_f1").GetDouble(), 1e-6);
        Lora2.Run("merge", "--model", model, "--adapter", output, "--output", merged).Done();
        Assert.Contains("DebertaV2ForTokenClassification", File.ReadAllText(Path.Combine(merged, "config.json")), StringComparison.Ordinal);
        File.Delete(Path.Combine(merged, "task.json"));
        const string Text = "\U0001F600 there is a red box here";
        JsonElement[] answers = [.. ((string[][])[["--model", model, "--adapter", output], ["--model", merged]]).Select(where => Assert.Single(Lora2.RunWith(Text + "\n", ["predict", .. where]).Done().JsonLines))];
        Assert.Equal(answers[0].GetProperty("spans").GetArrayLength(), answers[1].GetProperty("spans").GetArrayLength());
        Rune[] runes = [.. Text.EnumerateRunes()];
        Assert.NotEqual(0, answers[0].GetProperty("spans").GetArrayLength());
        foreach (JsonElement span in answers[0].GetProperty("spans").EnumerateArray())
            Assert.Equal(span.GetProperty("text").GetString(), string.Concat(runes[span.GetProperty("start").GetInt32()..span.GetProperty("end").GetInt32()]));
    }

    [Fact]
    public void WordsInColumnsAndInListsAreTheSameData()
    {
        string model = TinyModel.Write(folder);
        string lists = folder.Write("lists.jsonl", string.Concat(Sentences().Select(sentence =>
            $"{{\"words\": [{string.Join(", ", sentence.Select(word => $"\"{word.Word}\""))}], \"tags\": [{string.Join(", ", sentence.Select(word => $"\"{word.Tag}\""))}]}}\n")));
        Lora2.Run([.. Finetune(model, folder.Write("columns.conll", Conll()), folder.File("one")), "--max-steps", "3"]).Done();
        Lora2.Run([.. Finetune(model, lists, folder.File("two")), "--max-steps", "3"]).Done();
        Assert.Equal(TinyModel.Weights(folder.File("one")), TinyModel.Weights(folder.File("two")));
    }

    [Fact]
    public void TextsWithSpansAreLearned()
    {
        string model = TinyModel.Write(folder), output = folder.File("out");
        string data = folder.Write("spans.jsonl", string.Concat(Sentences().Select(sentence =>
        {
            string text = string.Join(' ', sentence.Select(word => word.Word));
            int start = text.IndexOf(sentence.First(word => word.Tag == "B-THING").Word, StringComparison.Ordinal), end = text.Length - sentence[^1].Word.Length - 1;
            return $"{{\"text\": \"{text}\", \"spans\": [{{\"start\": {start}, \"end\": {end}, \"label\": \"THING\"}}]}}\n";
        })));
        JsonElement run = Lora2.Run(Finetune(model, data, output, "--json", "--label-tokens", "all", "--tag-scheme", "bioes")).Done().Json;
        Assert.Equal(["O", "B-THING", "I-THING", "E-THING", "S-THING"], run.GetProperty("data").GetProperty("labels").EnumerateArray().Select(label => label.GetString()));
        Assert.True(run.GetProperty("metrics").GetProperty("entity_f1").GetDouble() > 0.3, run.GetProperty("metrics").ToString());
    }

    /// <summary>Words have tags, so that a span is of whole words; where it isn't, that is said with the first line.</summary>
    [Fact]
    public void SpansInsideWordsAreCounted()
    {
        string model = TinyModel.Write(folder), output = folder.File("out");
        string data = folder.Write("spans.jsonl", """
            {"text": "Berlin is big .", "spans": [[0, 6, "LOC"], [13, 14, "LOC"]]}
            {"text": "old Berlin , Paris", "spans": [[5, 8, "LOC"], [13, 17, "LOC"]]}
            {"text": "in Berlin again", "spans": [[3, 6, "LOC"], [6, 9, "LOC"]]}

            """);
        const string Widened = "spans.jsonl: 3 spans start or end inside a word and were widened to whole words, the first in line 2: \"erl\" became \"Berlin\"";
        const string Lost = "spans.jsonl: 2 spans have no word of their own and were left out, the first in line 1: \" \" (LOC)";
        CommandResult run = Lora2.Run("finetune", "--model", model, "--train", data, "--task", "tokens", "--method", "lora", "--max-steps", "1", "--output", output).Done();
        Assert.Contains(Widened, run.Output, StringComparison.Ordinal);
        Assert.Contains(Lost, run.Output, StringComparison.Ordinal);
        string error = Lora2.Run("evaluate", "--model", model, "--adapter", output, "--file", data).Done().Error;
        Assert.Contains($"lora2: note: {Widened}\n", error, StringComparison.Ordinal);
        Assert.Contains($"lora2: note: {Lost}\n", error, StringComparison.Ordinal);
        string whole = folder.Write("whole.jsonl", "{\"text\": \"old Berlin , Paris\", \"spans\": [[4, 10, \"LOC\"], [13, 18, \"LOC\"]]}\n");
        Assert.Empty(Lora2.Run("evaluate", "--model", model, "--adapter", output, "--file", whole).Done().Error);
        // What lies beyond the cut is counted as cut.
        Assert.DoesNotContain("left out", Lora2.Run("evaluate", "--model", model, "--adapter", output, "--file", whole, "--max-length", "4").Done().Error, StringComparison.Ordinal);
    }

    /// <summary>An entity that the model was not shown is one that it missed, whether the words or the text were given.</summary>
    [Theory]
    [InlineData("cut.jsonl", "{\"text\": \"a a a a a a a a red box\", \"spans\": [[16, 23, \"THING\"]]}\n")]
    [InlineData("cut.conll", "a O\na O\na O\na O\na O\na O\na O\na O\nred B-THING\nbox I-THING\n")]
    public void EntitiesBeyondTheCutAreMissed(string name, string rows)
    {
        string model = TinyModel.Write(folder), output = folder.File("out"), file = folder.Write(name, rows);
        CommandResult run = Lora2.Run("finetune", "--model", model, "--train", file, "--dev", file, "--task", "tokens", "--method", "lora", "--max-steps", "1", "--max-length", "5", "--output", output).Done();
        string note = $"{name}: 1 entity ends beyond the cut (--max-length) and counts as missed, the first in line 1: \"red box\" (THING)";
        Assert.Contains(note, run.Output, StringComparison.Ordinal);
        CommandResult score = Lora2.Run("evaluate", "--model", model, "--adapter", output, "--file", file, "--max-length", "5", "--json").Done();
        Assert.Contains($"lora2: note: {note}\n", score.Error, StringComparison.Ordinal);
        Assert.Equal(0, score.Json.GetProperty("metrics").GetProperty("entity_recall").GetDouble());
        Assert.DoesNotContain("no entity is true", score.Output + score.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("beyond the cut", Lora2.Run("evaluate", "--model", model, "--adapter", output, "--file", file, "--max-length", "64").Done().Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.conll", "Anna B-PER\nSmith I-LOC\n", "line 2: tag \"I-LOC\" of word \"Smith\" follows B-PER, expected B-LOC or I-LOC before it")]
    [InlineData("a.conll", "In O\n\nAnna I-PER\n", "line 3: tag \"I-PER\" of word \"Anna\" follows O")]
    [InlineData("a.conll", "Anna B-PER\nSmith E-PER\nin I-PER\n", "line 3: tag \"I-PER\"")]
    [InlineData("a.conll", "Anna B-PER\nSmith X-PER\n", "line 2: tag \"X-PER\" of word \"Smith\" is none of BIO's, expected O or B-, I- and a type, or the scheme plain to be asked for")]
    [InlineData("a.conll", "Anna B-PER\nlives\n", "line 2: \"lives\" has one column")]
    [InlineData("a.jsonl", "{\"words\": [\"a\", \"b\"], \"tags\": [\"O\"]}\n", "line 1: 2 words and 1 tags found")]
    [InlineData("a.jsonl", "{\"words\": [\"a\"], \"tags\": [3]}\n", "line 1: \"3\" found in the list \"tags\", expected strings")]
    [InlineData("a.jsonl", "{\"text\": \"Anna Smith\", \"spans\": [[0, 4, \"PER\"], [3, 10, \"PER\"]]}\n", "line 1: spans \"Anna\" (PER) and \"a Smith\" (PER) overlap")]
    [InlineData("a.jsonl", "{\"text\": \"Anna\", \"spans\": [[0, 9, \"PER\"]]}\n", "line 1: span 0 to 9 (PER) found, expected a stretch of the text's 4 characters")]
    [InlineData("a.jsonl", "{\"text\": \"Anna\", \"spans\": [[2, 2, \"PER\"]]}\n", "line 1: span 2 to 2 (PER) found")]
    [InlineData("a.jsonl", "{\"text\": \"Anna\", \"spans\": [[0, \"PER\"]]}\n", "line 1: span \"[0, ")]
    [InlineData("a.jsonl", "{\"text\": \"Anna\"}\n", "expected lists of words and of tags")]
    public void TagsAndSpansThatCannotBeAreRefused(string name, string rows, string expected) =>
        Assert.Contains(expected, Lora2.Run(Finetune(TinyModel.Write(folder), folder.Write(name, rows), folder.File("out"))).Refused(), StringComparison.Ordinal);

    [Fact]
    public void ATagThatTheTrainingDataLackIsRefused()
    {
        string train = folder.Write("train.conll", "Anna B-PER\n"), dev = folder.Write("dev.conll", "In O\nRome B-LOC\n");
        string refusal = Lora2.Run("finetune", "--model", TinyModel.Write(folder), "--train", train, "--dev", dev, "--task", "tokens", "--output", folder.File("out")).Refused();
        Assert.Contains("dev.conll, line 2: tag \"B-LOC\" of word \"Rome\" is unknown, expected one of O, B-PER, I-PER", refusal, StringComparison.Ordinal);
    }

    private static string[] Finetune(string model, string data, string output, params string[] more) =>
        ["finetune", "--model", model, "--train", data, "--dev", data, "--task", "tokens", "--method", "lora", "--rank", "4", "--learning-rate", "2e-2", "--epochs", "10", "--batch-size", "8", "--output", output, .. more];

    private static string Conll() => "-DOCSTART- O\n\n" + string.Concat(Sentences().Select(sentence => string.Concat(sentence.Select(word => $"{word.Word} {word.Tag}\n")) + "\n"));

    /// <summary>"there is a red box here", with the colour and the thing as one entity.</summary>
    private static IEnumerable<(string Word, string Tag)[]> Sentences() => Enumerable.Range(0, 48).Select(i => (
        (string Word, string Tag)[])[("there", "O"), ("is", "O"), ("a", "O"), (Colours[i % 3], "B-THING"), (Things[i % 4], "I-THING"), (i % 2 == 0 ? "here" : "there", "O")]);
}
