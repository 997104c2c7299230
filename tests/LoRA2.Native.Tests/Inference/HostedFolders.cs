using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.RandomNumbers;
using LoRA2.Native.Tests.Adapters;
using LoRA2.Native.Tests.Embeddings;
using LoRA2.Native.Tests.Encoders;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Inference;

/// <summary>A small model of a family with a tokenizer, and folders of adapters as if trained on it.</summary>
internal sealed class HostedFolders : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public HostedFolders(string type = "bert")
    {
        string tokenizer = Path.Combine(SharedData.Repository, "tests", "Fixtures", "cases", "05-adapters-in-a-loop", "base");
        Directory.CreateDirectory(Base);
        foreach (string name in (string[])["vocab.txt", "tokenizer_config.json"]) File.Copy(Path.Combine(tokenizer, name), Path.Combine(Base, name));
        File.WriteAllText(Path.Combine(Base, "config.json"), ConfigText.Of(type).ToJsonString());
        using SequenceClassifier made = SequenceClassifier.Create(EncoderConfigReader.FromFolder(Base), 3);
        ModelFolder.Save(made, Base, Base);
    }

    public string Base => folder.File("base");

    public static string[] Texts { get; } = ["a good film", "the plot is very dull , not great .", "bad", "one two three end", "good good good good good good good good good good good good film"];

    /// <summary>Every method whose adapters have folders.</summary>
    public static IEnumerable<string> Methods => AdapterMethods.All.Where(method => method.PeftType is not null).Select(method => method.Name);

    /// <summary>The folder of an adapter, all of whose values are moved.</summary>
    public string Adapter(string name, string method = "lora", int labels = 2, int seed = 1, int? maxLength = null, HeadTraining head = HeadTraining.All, string[]? targets = null)
    {
        string[] names = [.. Enumerable.Range(0, labels).Select(label => $"{name}-{label}")];
        using SequenceClassifier model = SequenceClassifier.FromFolder(Base, config => config with { Labels = labels, LabelNames = names }, (ulong)seed);
        var settings = new AdapterSettings { Method = SmallModel.Method(method), Head = head };
        if (targets is not null) settings = settings with { Targets = targets };
        model.Attach(settings, (ulong)seed);
        foreach ((int i, Parameter parameter) in model.Parameters.Where(parameter => parameter.IsTrainable).Index())
        {
            float[] step = new float[parameter.Count];
            new Philox((ulong)seed, (uint)i).FillNormal(step, 0, 0.1f);
            foreach ((int at, float value) in step.Index()) parameter.Value.AsSpan<float>()[at] += value;
        }

        string path = folder.File(name);
        AdapterFolder.Save(model, settings, Base, path, new SavedBeside { Task = new TaskDescription(name, names, maxLength, [Metric.Accuracy]) });
        return path;
    }

    /// <summary>Saves the base as a sentence-transformers folder, without a head.</summary>
    public void SaveWithoutHead()
    {
        using SequenceClassifier model = SequenceClassifier.FromFolder(Base, config => config with { Task = new EmbeddingsTask() });
        ModelFolder.Save(model, Base, Base);
    }

    /// <summary>Saves the base without a head, and without saying how it makes vectors.</summary>
    public void SaveAsEncoder()
    {
        SaveWithoutHead();
        foreach (string file in Directory.GetFiles(Base, "*sentence*").Append(Path.Combine(Base, "modules.json"))) File.Delete(file);
    }

    /// <summary>A sentence-transformers folder of the base, whose encoder is in it or in a folder below.</summary>
    public string SaveAsSentences(bool isBelow, EmbeddingSettings settings)
    {
        SaveAsEncoder();
        string path = folder.File("sentences"), encoder = isBelow ? Path.Combine(path, "0_Transformer") : path;
        SentenceModel.Copy(Base, encoder);
        foreach ((string name, byte[] bytes) in SentenceFolder.Write(path, settings, EncoderConfigReader.FromFolder(encoder).HiddenSize))
        {
            string text = System.Text.Encoding.UTF8.GetString(bytes);
            if (isBelow && name == SentenceFolder.ModulesFile) text = text.Replace("\"path\": \"\"", "\"path\": \"0_Transformer\"", StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(name == SentenceFolder.TransformerFile ? encoder : path, name), text);
        }

        return path;
    }

    /// <summary>Makes a word's vector one that overflows when its numbers are summed.</summary>
    public void Overflow(string word)
    {
        List<int> ids = [], types = [];
        Tokenizers.Tokenizer.FromFolder(Base).EncodePair(word, null, 8, ids, types);
        using SequenceClassifier model = SequenceClassifier.FromFolder(Base);
        Parameter words = model.EncoderParameters().Single(parameter => parameter.Name.EndsWith("word_embeddings.weight", StringComparison.Ordinal));
        words.Value.AsSpan<float>().Slice(ids[1] * model.Config.HiddenSize, model.Config.HiddenSize).Fill(3e38f);
        ModelFolder.Save(model, Base, Base);
    }

    /// <summary>The folder of an adapter that makes vectors.</summary>
    public string Embedder(string name)
    {
        var kind = new EmbeddingsTask { Settings = new EmbeddingSettings { Pooling = Pooling.Cls } };
        using SequenceClassifier model = SequenceClassifier.FromFolder(Base, config => config with { Labels = 1, LabelNames = null, Task = kind });
        var settings = new AdapterSettings { Method = SmallModel.Method("lora") };
        model.Attach(settings, 5);
        foreach ((int i, Parameter parameter) in model.Parameters.Where(parameter => parameter.IsTrainable).Index()) new Philox(5, (uint)i).FillNormal(parameter.Value.AsSpan<float>(), 0, 0.1f);
        string path = folder.File(name);
        AdapterFolder.Save(model, settings, Base, path, new SavedBeside { Task = new TaskDescription(name, null, null, kind.MetricsFor(1)) { Kind = kind } });
        return path;
    }

    public void Dispose() => folder.Dispose();
}
