using LoRA2.Native.Adapters;
using LoRA2.Native.Parquet;
using LoRA2.Native.Safetensors;

namespace LoRA2.Native.Benchmarks.Fuzzing;

/// <summary>Everything here that reads files. The corpora are the project's own fixtures.</summary>
internal static class FuzzTargets
{
    private const string ParquetFile = "train-00000-of-00001.parquet";

    private static readonly string[] Graphs = ["bert", "classifier", "distilbert", "external", "roberta"];

    public static IReadOnlyList<FuzzTarget> Of(string fixtures)
    {
        ParquetFormat.Register();
        string cases = Path.Combine(fixtures, "cases"), onnx = Path.Combine(fixtures, "onnx"), torch = Path.Combine(fixtures, "pytorch");
        string[] models = [Path.Combine(cases, "13-peft-fields", "base"), .. Directory.GetDirectories(Path.Combine(fixtures, "golden"), "*_tiny").Where(folder => File.Exists(Path.Combine(folder, "config.json")))];
        string[] adapters = [.. Directory.GetDirectories(Path.Combine(cases, "13-peft-fields")).Where(AdapterFolder.Exists)];
        string[] graphs = [.. Graphs.Select(name => Path.Combine(onnx, name))];
        string bert = models[0], vocabulary = Path.Combine(onnx, "vocab.txt"), emoji = Path.Combine(cases, "16-new-emoji");
        var run = new CheckpointTarget(bert);
        string[] sentences = [ModelTargets.SentenceCorpus(bert)];
        return
        [
            new("safetensors", "model.safetensors", [.. models.Where(folder => File.Exists(Path.Combine(folder, "model.safetensors")))], folder => Safetensors(Path.Combine(folder, "model.safetensors"))),
            new("model", "model.safetensors", [bert], ModelTargets.Model),
            new("config", "config.json", [bert], ModelTargets.Model),
            new("encoder-config", "config.json", models, ModelTargets.Config),
            new("pytorch", "pytorch_model.bin", [Path.Combine(torch, "bert")], ModelTargets.PyTorch),
            new("onnx", "model.onnx", graphs, folder => ModelTargets.Onnx(Path.Combine(folder, "model.onnx"), vocabulary)),
            new("modules", "modules.json", sentences, ModelTargets.Sentences),
            new("pooling", Path.Combine("1_Pooling", "config.json"), sentences, ModelTargets.Sentences),
            new("adapter-config", "adapter_config.json", adapters, folder => ModelTargets.Adapter(bert, folder)),
            new("adapter", "adapter_model.safetensors", adapters, folder => ModelTargets.Adapter(bert, folder)),
            new("tokenizer", "tokenizer.json", [emoji], ModelTargets.Tokenize),
            new("vocabulary", "vocab.txt", [bert], ModelTargets.Tokenize),
            new("sentencepiece", "spm.model", [Path.Combine(fixtures, "deberta-v3-tiny-wiki")], ModelTargets.Tokenize),
            new("tokenizer-config", "tokenizer_config.json", [bert, emoji], ModelTargets.Tokenize),
            new("checkpoint", CheckpointTarget.FileName, [run.Corpus()], folder => run.Read(folder, signs: false)),
            new("checkpoint-signed", CheckpointTarget.FileName, [run.Corpus()], folder => run.Read(folder, signs: true)),
            new("tsv", "pandas.tsv", [Path.Combine(cases, "14-quoted-tsv")], folder => DataTarget.Read(Path.Combine(folder, "pandas.tsv"))),
            new("parquet", ParquetFile, [Path.Combine(fixtures, "parquet")], folder => DataTarget.Read(Path.Combine(folder, ParquetFile))),
            new("tsv-rows", "data.tsv", [], folder => DataTarget.Read(Path.Combine(folder, "data.tsv"))) { Draw = random => new DrawnRows(random).Tsv() },
            new("csv-rows", "data.csv", [], folder => DataTarget.Read(Path.Combine(folder, "data.csv"))) { Draw = random => new DrawnRows(random).Csv() },
            new("jsonl-rows", "data.jsonl", [], folder => DataTarget.Read(Path.Combine(folder, "data.jsonl"))) { Draw = random => new DrawnRows(random).JsonLines() },
        ];
    }

    private static void Safetensors(string path)
    {
        string again = path + ".again";
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var writer = new SafetensorsWriter(file.Metadata);
        foreach (SafetensorsEntry entry in file.Entries) writer.Add(entry.Name, entry.Type, entry.Shape, file.GetBytes(entry).ToArray());
        writer.WriteChecked(again);
        using SafetensorsFile saved = SafetensorsFile.Open(again);
        saved.RequireChecksum();
        if (saved.ContentChecksum() != file.ContentChecksum()) throw new FuzzException("saved again, the tensors are others");
    }
}
