using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Onnx;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Benchmarks.Fuzzing;

/// <summary>What models, adapters, vectors and tokenizers mean: their answers, which must be the same once they have been saved again.</summary>
internal static class ModelTargets
{
    private const string Text = "a good film";

    private static readonly string[] Texts = [Text, "", "a \U0001FAE9 b", "\uD800", "é\u0301 中 \0", "Ａ　ｆｉｌｍ", "ﬁlm\u200D\u00AD"];

    private static readonly string[] TokenizerFiles =
        ["spm.model", "tokenizer.json", "vocab.json", "merges.txt", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];

    /// <summary>A classifier's folder.</summary>
    public static void Model(string folder)
    {
        using TextClassifier classifier = TextClassifier.Load(folder);
        Prediction before = classifier.Predict(Text);
        string again = Path.Combine(folder, "again");
        ModelFolder.Save(classifier.Model, folder, again);
        using TextClassifier saved = TextClassifier.Load(again);
        Prediction after = saved.Predict(Text);
        if (before.Label != after.Label || !before.Score.Equals(after.Score)) throw new FuzzException($"saved again, the model answers {after.Label} {after.Score}, not {before.Label} {before.Score}");
    }

    /// <summary>A config alone: an encoder of its sizes.</summary>
    public static void Config(string folder) => EncoderConfigReader.FromFolder(folder);

    /// <summary>An adapter of a model.</summary>
    public static void Adapter(string model, string folder)
    {
        string again = Path.Combine(folder, "again");
        using TextClassifier classifier = TextClassifier.Load(model, folder);
        Prediction before = classifier.Predict(Text);
        AdapterFolder.Save(classifier.Model, classifier.Adapter!, model, again);
        using TextClassifier loaded = TextClassifier.Load(model, again);
        Prediction after = loaded.Predict(Text);
        if (!(Math.Abs(before.Score - after.Score) < 1e-6)) throw new FuzzException($"saved again, the adapter answers {after.Score}, not {before.Score}");
    }

    /// <summary>An older model's folder of <c>pytorch_model.bin</c>.</summary>
    public static void PyTorch(string folder)
    {
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder);
        string again = Path.Combine(folder, "again");
        ModelFolder.Save(model, folder, again);
        using SequenceClassifier saved = SequenceClassifier.FromFolder(again);
        RequireSame(model, saved);
    }

    /// <summary>An ONNX file: the folder that it becomes is a model.</summary>
    public static void Onnx(string path, string vocabulary)
    {
        string folder = Path.Combine(Path.GetDirectoryName(path)!, "imported"), again = folder + "-again";
        OnnxImport.Import(path, folder, new OnnxImportOptions { Vocabulary = vocabulary, Heads = 2 });
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder);
        ModelFolder.Save(model, folder, again);
        using SequenceClassifier saved = SequenceClassifier.FromFolder(again);
        RequireSame(model, saved);
    }

    /// <summary>A folder of sentence-transformers.</summary>
    public static void Sentences(string folder)
    {
        using TextEmbedder embedder = TextEmbedder.Load(folder);
        TextVector vector = embedder.Embed(Text);
        if (vector.Values.Length != embedder.Dimensions || Array.Exists(vector.Values, value => !float.IsFinite(value))) throw new FuzzException("the vector is not finite, or of another length");
    }

    /// <summary>A tokenizer, whose files alone must mean the same in another folder.</summary>
    public static void Tokenize(string folder)
    {
        Tokenizer tokenizer = Tokenizer.FromFolder(folder);
        string again = Directory.CreateDirectory(Path.Combine(folder, "again")).FullName;
        foreach (string file in TokenizerFiles.Where(file => File.Exists(Path.Combine(folder, file)))) File.Copy(Path.Combine(folder, file), Path.Combine(again, file));
        if (File.Exists(Path.Combine(folder, ModelFolder.ConfigFile))) File.Copy(Path.Combine(folder, ModelFolder.ConfigFile), Path.Combine(again, ModelFolder.ConfigFile));
        Tokenizer copied = Tokenizer.FromFolder(again);
        foreach (string text in Texts)
        {
            int[] ids = tokenizer.Encode(text);
            if (Array.Exists(ids, id => id < 0 || id >= tokenizer.VocabularySize)) throw new FuzzException("an id is outside the vocabulary");
            if (!ids.AsSpan().SequenceEqual(copied.Encode(text))) throw new FuzzException("copied, the tokenizer's files give other ids");
            tokenizer.Decode(ids);
        }
    }

    /// <summary>A folder of sentence-transformers around a model.</summary>
    public static string SentenceCorpus(string model)
    {
        string folder = Directory.CreateTempSubdirectory("lora2-fuzz-sentences-").FullName;
        foreach (string file in Directory.GetFiles(model)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        Directory.CreateDirectory(Path.Combine(folder, "1_Pooling"));
        int width = EncoderConfigReader.FromFolder(model).HiddenSize;
        File.WriteAllText(Path.Combine(folder, "1_Pooling", "config.json"), $$"""{"word_embedding_dimension": {{width}}, "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false}""");
        File.WriteAllText(Path.Combine(folder, "sentence_bert_config.json"), """{"max_seq_length": 16, "do_lower_case": false}""");
        File.WriteAllText(
            Path.Combine(folder, "modules.json"),
            """
            [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
             {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
             {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
            """);
        return folder;
    }

    private static void RequireSame(SequenceClassifier model, SequenceClassifier saved)
    {
        if (!Answer(model).AsSpan().SequenceEqual(Answer(saved))) throw new FuzzException("saved again, the model answers otherwise");
    }

    /// <summary>The answer's bits for two ids that nearly every vocabulary has.</summary>
    private static int[] Answer(SequenceClassifier model)
    {
        if (model.Config.VocabularySize < 2) return [];
        using var scope = new TensorScope();
        var batch = new EncoderBatch(Tensor.From([0, 1], new Shape(1, 2)), Tensor.From([1, 1], new Shape(1, 2)));
        float[] values = model.Forward(batch, ForwardContext.Inference).ToArray<float>();
        if (Array.Exists(values, value => !float.IsFinite(value))) throw new InputException("the model's answer is not finite");
        return Array.ConvertAll(values, BitConverter.SingleToInt32Bits);
    }
}
