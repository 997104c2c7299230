using System.Text.Json;
using System.Text.Json.Nodes;
using LoRA2.Native.Cli;
using LoRA2.Native.Cli.Tests;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tests.Encoders;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

/// <summary>A DeBERTa of width 8 with a tokenizer of 8,064 tokens, and a little data for it.</summary>
internal static class TinyModel
{
    public const int TrainRows = 40;

    /// <summary>Writes the model folder and returns its path.</summary>
    public static string Write(TemporaryFolder folder)
    {
        string path = folder.File("model");
        Directory.CreateDirectory(path);
        JsonObject config = ConfigText.With("deberta-v2", "vocab_size", "8064");
        config["initializer_range"] = 0.3;
        File.WriteAllText(Path.Combine(path, "config.json"), config.ToJsonString());
        foreach (string name in (string[])["spm.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"])
            File.Copy(Path.Combine(SharedData.Tokenizer, name), Path.Combine(path, name));
        using SequenceClassifier model = SequenceClassifier.Create(EncoderConfigReader.FromFolder(path), 7);
        ModelFolder.Save(model, path, path);
        return path;
    }

    /// <summary>The first rows of the tickets: training and development files.</summary>
    public static (string Train, string Development) WriteData(TemporaryFolder folder)
    {
        string Rows(string source, int count) => string.Concat(File.ReadLines(source).Take(count + 1).Select(line => line + "\n"));
        return (folder.Write("train.tsv", Rows(QuickStart.Train, TrainRows)), folder.Write("dev.tsv", Rows(QuickStart.Train, 20)));
    }

    /// <summary>Arguments of a short run with everything in it: dropout, budget, evaluations, checkpoints. What is given in <paramref name="more"/> replaces the usual.</summary>
    public static string[] Finetune(TemporaryFolder folder, string output, params string[] more)
    {
        string model = folder.File("model");
        if (!Directory.Exists(model)) Write(folder);
        (string train, string development) = WriteData(folder);
        string[] usual =
        [
            "--model", model, "--train", train, "--dev", development, "--output", output, "--batch-size", "8", "--epochs", "4", "--checkpoint-every", "3",
            "--target-rank", "3", "--rank", "4", "--outer-rank", "2", "--learning-rate", "0.01", "--dropout", "0.1",
        ];
        return ["finetune", .. usual.Chunk(2).Where(option => !more.Contains(option[0])).SelectMany(option => option), .. more];
    }

    /// <summary>What each matrix keeps, as the record says.</summary>
    public static int[] Ranks(string output)
    {
        using JsonDocument record = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(output, "training.json")));
        return [.. record.RootElement.GetProperty("ranks").EnumerateObject().Select(rank => rank.Value.GetInt32())];
    }

    public static byte[] Weights(string output) => File.ReadAllBytes(Path.Combine(output, "adapter_model.safetensors"));
}
