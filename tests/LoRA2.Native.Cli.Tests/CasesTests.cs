using System.Text.Json;
using LoRA2.Native.Encoders;
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
    public void AnUnlabelledRowIsNoClass(string file, string sentence)
    {
        string data = At("10-empty-label", file);
        string[] args = ["finetune", "--model", At("10-empty-label", "model"), "--train", data, "--dev", data, "--output", folder.File("out"), "--max-length", "32", "--max-steps", "1"];
        Assert.Contains(sentence, Lora2.Run(args).Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model", "data.tsv")]
    [InlineData("model-upper", "nli.tsv")]
    public void LabelsMeetByNameWhateverTheirSpelling(string model, string file)
    {
        JsonElement json = Lora2.Run("evaluate", "--model", At("11-label-names", model), "--file", At("11-label-names", file), "--json").Done().Json;
        Assert.InRange(json.GetProperty("metrics").GetProperty("accuracy").GetDouble(), 0, 1);
        string other = folder.Write("other.tsv", "text\tlabel\ngood film\tham\nbad film\tspam\n");
        Assert.Contains("line 2: label \"ham\" found", Lora2.Run("evaluate", "--model", At("11-label-names", model), "--file", other).Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void EmojiOfTodayAreUnknownNotNothing()
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
    public void QuotingInATsvIsRecognisedAndSaid()
    {
        CommandResult result = Lora2.Run("evaluate", "--model", At("13-peft-fields", "base"), "--file", At("14-quoted-tsv", "pandas.tsv")).Done();
        Assert.Contains("fields with quotes are quoted as pandas does it", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void TheCutIsTheModelsAndIsTold()
    {
        string model = At("06-128-token-cut", "model"), texts = File.ReadAllText(At("06-128-token-cut", "texts.txt"));
        JsonElement[] whole = Lora2.RunWith(texts, "predict", "--model", model).Done().JsonLines;
        Assert.Equal([0.016396, 0.017687], whole.Select(line => Math.Round(line.GetProperty("probabilities").GetProperty("pos").GetDouble(), 6)));
        Assert.All(whole, line => Assert.False(line.GetProperty("cut").GetBoolean()));
        CommandResult lowered = Lora2.RunWith(texts, "predict", "--model", model, "--max-length", "128").Done();
        Assert.All(lowered.JsonLines, line => Assert.True(line.GetProperty("cut").GetBoolean()));
        Assert.All(lowered.JsonLines, line => Assert.Equal(0.023920, line.GetProperty("probabilities").GetProperty("pos").GetDouble(), 1e-6));
        Assert.Equal("lora2: note: 2 texts were longer than 128 tokens and cut there\n", lowered.Error);
        Assert.Contains("the longest input is 513 tokens; the model has 512 positions", Lora2.Run("predict", "--model", model, "--text", "a", "--max-length", "513").Refused(), StringComparison.Ordinal);

        string data = folder.Write("data.tsv", string.Concat(texts.TrimEnd().Split('\n').Select((text, i) => $"{text}\t{(i == 0 ? "neg" : "pos")}\n").Prepend("text\tlabel\n")));
        JsonElement evaluated = Lora2.Run("evaluate", "--model", model, "--file", data, "--json", "--max-length", "64").Done().Json;
        Assert.Equal((64, 2), (evaluated.GetProperty("max_length").GetInt32(), evaluated.GetProperty("cut").GetInt32()));
    }

    [Fact]
    public void AModelOfFewPositionsIsTrainedAndAskedWithoutAnOption()
    {
        string data = folder.Write("data.tsv", $"text\tlabel\n{string.Concat(Enumerable.Repeat("good ", 100))}\tpos\nbad film\tneg\n");
        string output = folder.File("out");
        string[] args = ["finetune", "--model", At("13-peft-fields", "base"), "--train", data, "--dev", data, "--output", output, "--max-steps", "1", "--json"];
        JsonElement json = Lora2.Run(args).Done().Json;
        Assert.Equal(1, json.GetProperty("data").GetProperty("train_cut").GetInt32());
        Assert.Equal(64, json.GetProperty("options").GetProperty("max_length").GetInt32());
        Assert.Contains("1 cut at 64 tokens", Lora2.Run("evaluate", "--adapter", output, "--file", data).Done().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void AValueBeyondFloat16EndsTheMerge()
    {
        string output = folder.File("merged");
        string[] merge = ["merge", "--model", At("09-merge-overflows", "base"), "--adapter", At("09-merge-overflows", "adapter"), "--output", output];
        string sentence = Lora2.Run([.. merge, "--dtype", "float16"]).Refused();
        Assert.Contains("encoder.layer.0.output.dense.bias' has the value 100000", sentence, StringComparison.Ordinal);
        Assert.Contains("take bfloat16 or float32", sentence, StringComparison.Ordinal);
        Assert.False(Directory.Exists(output));
        Lora2.Run([.. merge, "--dtype", "bfloat16"]).Done();
    }

    [Theory]
    [InlineData("lora_alpha", "1e308", "lora_alpha is 1e308; a number from -1000000 to 1000000 was expected")]
    [InlineData("r", "2147483647", "r is 2147483647; an integer from 1 to 65536 was expected")]
    public void AFieldOfAnAdapterThatOverflowsIsNamed(string field, string value, string sentence)
    {
        string adapter = folder.File("adapter"), config = Path.Combine(adapter, "adapter_config.json");
        Directory.CreateDirectory(adapter);
        foreach (string file in Directory.GetFiles(At("09-merge-overflows", "adapter"))) File.Copy(file, Path.Combine(adapter, Path.GetFileName(file)));
        File.WriteAllText(config, System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(config), $"\"{field}\": [0-9.]+", $"\"{field}\": {value}"));
        Assert.Contains(sentence, Lora2.Run("predict", "--model", At("09-merge-overflows", "base"), "--adapter", adapter, "--text", "a").Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void AWeightThatIsNotFiniteEndsPredictEvaluateAndMerge(float value)
    {
        string model = folder.File("model");
        Directory.CreateDirectory(model);
        foreach (string file in Directory.GetFiles(At("13-peft-fields", "base"))) File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        string weights = Path.Combine(model, "model.safetensors");
        byte[] bytes = File.ReadAllBytes(weights);
        BitConverter.GetBytes(value).CopyTo(bytes, bytes.Length - 4);
        File.WriteAllBytes(weights, bytes);
        string data = folder.Write("data.tsv", "text\tlabel\ngood\tpos\nbad\tneg\n");
        foreach (string[] args in (string[][])[["predict", "--text", "a"], ["evaluate", "--file", data], ["merge", "--adapter", At("13-peft-fields", "regex"), "--output", folder.File("out")], ["export", "--adapter", At("13-peft-fields", "regex"), "--output", folder.File("out")]])
            Assert.Matches("model.safetensors: tensor \"[a-z.A-Z0-9_]+\" has the value", Lora2.Run([.. args, "--model", model]).Refused());
    }

    [Theory]
    [InlineData("predict", "--text", "good film")]
    [InlineData("evaluate", "--file", "data.tsv")]
    public void AModelWithoutAHeadDoesNotAnswer(params string[] args)
    {
        string data = folder.Write("data.tsv", "text\tlabel\ngood\tpos\nbad\tneg\n");
        string sentence = Lora2.Run([.. args.Select(arg => arg == "data.tsv" ? data : arg), "--model", At("02-headless-model", "base")]).Refused();
        Assert.Contains("tensor 'classifier.weight' [2, 16] is missing (likewise classifier.bias)", sentence, StringComparison.Ordinal);
        string output = folder.File("out");
        Lora2.Run("finetune", "--model", At("02-headless-model", "base"), "--train", data, "--dev", data, "--max-steps", "1", "--output", output).Done();
        Lora2.Run("predict", "--adapter", output, "--text", "good").Done();
    }

    [Fact]
    public void WhatFinetuneDrewAndFrozeIsSaved()
    {
        (string output, string tickets, string held) = (folder.File("qs"), Path.Combine(AppContext.BaseDirectory, "QuickStart"), folder.File("held.tsv"));
        string[] data = ["--train", Path.Combine(tickets, "tickets.train.tsv"), "--dev", held];
        File.WriteAllLines(held, File.ReadLines(Path.Combine(tickets, "tickets.dev.tsv")).Take(61));
        JsonElement trained = Lora2.Run(["finetune", .. data, "--head", "classifier", "--max-steps", "6", "--batch-size", "8", "--output", output, "--json"]).Done().Json;
        JsonElement loaded = Lora2.Run("evaluate", "--adapter", output, "--file", held, "--json").Done().Json;
        Assert.Equal(trained.GetProperty("metrics").GetProperty("accuracy").GetDouble(), loaded.GetProperty("metrics").GetProperty("accuracy").GetDouble());
        // To train on is to train the classifier alone again.
        JsonElement further = Lora2.Run(["finetune", .. data, "--from", output, "--max-steps", "1", "--batch-size", "8", "--output", folder.File("further"), "--json"]).Done().Json;
        Assert.Equal(trained.GetProperty("parameters").GetProperty("head").GetInt32(), further.GetProperty("parameters").GetProperty("head").GetInt32());
        Assert.NotEqual(0, further.GetProperty("parameters").GetProperty("head").GetInt32());
    }

    [Theory]
    [InlineData("regex", 0.051577)]
    [InlineData("layers", 0.945931)]
    [InlineData("bias", 0.928308)]
    public void FieldsOfPEFTsConfigMeanWhatTheyMeanThere(string adapter, double positive)
    {
        CommandResult result = Lora2.Run("predict", "--model", At("13-peft-fields", "base"), "--adapter", At("13-peft-fields", adapter), "--text", "good film").Done();
        Assert.Equal(positive, Assert.Single(result.JsonLines).GetProperty("probabilities").GetProperty("pos").GetDouble(), 1e-6);
        Assert.Empty(result.Error);
    }

    [Fact]
    public void ASecondMergeOfAnAdapterIsRefusedAndAThirdUseSaid()
    {
        (string model, string adapter, string once, string twice) = (At("15-double-merge", "base"), At("15-double-merge", "adapter"), folder.File("once"), folder.File("twice"));
        Lora2.Run("merge", "--model", model, "--adapter", adapter, "--output", once).Done();
        Assert.Equal(0.945931, Positive("--model", once), 1e-6);
        Assert.Contains("is merged into this model already; --force merges it again", Lora2.Run("merge", "--model", once, "--adapter", adapter, "--output", twice).Refused(), StringComparison.Ordinal);
        Assert.Contains("merged into this model already, and counts twice", Lora2.Run("predict", "--model", once, "--adapter", adapter, "--text", "a").Done().Error, StringComparison.Ordinal);
        Assert.Contains("merged into this model already", Lora2.Run("predict", "--model", once, "--adapter", adapter, "--text", "a", "--strict").Refused(), StringComparison.Ordinal);
        Lora2.Run("merge", "--model", once, "--adapter", adapter, "--output", twice, "--force").Done();
        // The weights were rounded twice.
        Assert.Equal(0.729876, Positive("--model", twice), 1e-5);

        double Positive(params string[] where) =>
            Assert.Single(Lora2.Run(["predict", "--text", "good film", .. where]).Done().JsonLines).GetProperty("probabilities").GetProperty("pos").GetDouble();
    }

    [Fact]
    public void AnAdapterOfAnotherBaseModelIsAWarningOrWithStrictAnError()
    {
        string data = folder.Write("data.tsv", "text\tlabel\ngood\tpos\nbad\tneg\n"), output = folder.File("out");
        Lora2.Run("finetune", "--model", At("13-peft-fields", "base"), "--train", data, "--max-steps", "1", "--output", output).Done();
        Assert.Empty(Lora2.Run("predict", "--adapter", output, "--text", "good").Done().Error);
        string[] other = ["predict", "--model", At("09-merge-overflows", "base"), "--adapter", output, "--text", "good"];
        Assert.Contains("warning: ", Lora2.Run(other).Done().Error, StringComparison.Ordinal);
        Assert.Contains("the adapter was trained on a base model with other weights", Lora2.Run([.. other, "--strict"]).Refused(), StringComparison.Ordinal);

        // To train on is to compute with both.
        string[] further = ["finetune", "--model", At("09-merge-overflows", "base"), "--from", output, "--train", data, "--max-steps", "1", "--output", folder.File("further")];
        Assert.Contains("a base model with other weights", Lora2.Run([.. further, "--strict"]).Refused(), StringComparison.Ordinal);
        Assert.Contains("warning: ", Lora2.Run(further).Done().Error, StringComparison.Ordinal);
        Assert.Contains("--strict is about the adapter of --from", Lora2.Run([.. further.Where(arg => arg != "--from" && arg != output), "--strict"]).Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void AnAdapterOfAnotherConfigOrTokenizerIsAWarningOrWithStrictAnError()
    {
        string data = folder.Write("data.tsv", "text\tlabel\ngood\tpos\nbad\tneg\n"), output = folder.File("out"), model = folder.File("base");
        Directory.CreateDirectory(model);
        foreach (string file in Directory.GetFiles(At("13-peft-fields", "base"))) File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        Lora2.Run("finetune", "--model", model, "--train", data, "--max-steps", "1", "--output", output).Done();
        string[] predict = ["predict", "--model", model, "--adapter", output, "--text", "good"];
        Assert.Empty(Lora2.Run([.. predict, "--strict"]).Done().Error);

        string config = Path.Combine(model, "config.json"), was = File.ReadAllText(config);
        File.WriteAllText(config, was.Replace("\"gelu\"", "\"relu\"", StringComparison.Ordinal));
        Refused("another config.json: hidden_act was gelu and is relu");
        File.WriteAllText(config, was);

        string words = Path.Combine(model, "vocab.txt"), before = File.ReadAllText(words);
        File.WriteAllText(words, before.Replace("\ngood\nbad\n", "\nbad\ngood\n", StringComparison.Ordinal));
        Refused("another tokenizer than the one in");
        File.WriteAllText(words, before);

        File.WriteAllText(Path.Combine(output, "vocab.txt"), before.Replace("\ngood\nbad\n", "\nbad\ngood\n", StringComparison.Ordinal));
        Refused("vocab.txt: the adapter's folder has another tokenizer than");

        void Refused(string sentence)
        {
            Assert.Contains($"warning: {output}", Lora2.Run(predict).Done().Error, StringComparison.Ordinal);
            Assert.Contains(sentence, Lora2.Run([.. predict, "--strict"]).Refused(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void LayersThatTheConfigDoesNotCountAreSaidWhereverTheModelIsUsed()
    {
        string data = folder.Write("data.tsv", "text\tlabel\ngood\tpos\nbad\tneg\n"), output = folder.File("out"), model = folder.File("base"), merged = folder.File("merged");
        Directory.CreateDirectory(model);
        foreach (string file in Directory.GetFiles(At("13-peft-fields", "base"))) File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        string config = Path.Combine(model, "config.json"), was = File.ReadAllText(config);
        File.WriteAllText(config, was.Replace("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2", StringComparison.Ordinal));
        using (SequenceClassifier two = SequenceClassifier.Create(EncoderConfigReader.FromFolder(model), 1)) ModelFolder.Save(two, model, model);
        File.WriteAllText(config, was);
        const string Warning = "16 tensors are not used by the BERT with 1 layer that config.json describes: ";
        Assert.Contains(Warning, Lora2.Run("finetune", "--model", model, "--train", data, "--max-steps", "1", "--output", output).Done().Error, StringComparison.Ordinal);
        foreach (string[] command in (string[][])[["predict", "--text", "good"], ["evaluate", "--file", data], ["merge", "--output", merged]])
            Assert.Single(Lora2.Run([.. command, "--model", model, "--adapter", output]).Done().Error.Split('\n'), line => line.Contains(Warning, StringComparison.Ordinal));
        Assert.Empty(Lora2.Run("predict", "--model", merged, "--text", "good").Done().Error);
    }

    private static string At(params string[] parts) => Path.Combine([SharedData.Repository, "tests", "Fixtures", "cases", .. parts]);
}
