using System.Buffers.Binary;
using System.Text;
using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tests.Embeddings;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Hosting.Tests;

/// <summary>Folders of adapters for the tiny BERT that no fixture is.</summary>
internal static class OddAdapters
{
    /// <summary>One that makes vectors of the length 1.</summary>
    public static string Embedder(TemporaryFolder folder)
    {
        var kind = new EmbeddingsTask { Settings = new EmbeddingSettings { Pooling = Pooling.Mean, Normalises = true } };
        using SequenceClassifier model = SequenceClassifier.FromFolder(TinyTenants.Base, config => config with { Labels = 1, LabelNames = null, Task = kind });
        var settings = new AdapterSettings();
        model.Attach(settings, 5);
        string path = folder.File("embedder");
        AdapterFolder.Save(model, settings, TinyTenants.Base, path, new SavedBeside { Task = new TaskDescription("embedder", null, null, kind.MetricsFor(1)) { Kind = kind } });
        return path;
    }

    /// <summary>One whose head the model has in another size.</summary>
    public static string OfThreeLabels(TemporaryFolder folder)
    {
        string[] names = ["x", "y", "z"];
        using SequenceClassifier model = SequenceClassifier.FromFolder(TinyTenants.Base, config => config with { Labels = 3, LabelNames = names });
        var settings = new AdapterSettings();
        model.Attach(settings, 5);
        string path = folder.File("three");
        AdapterFolder.Save(model, settings, TinyTenants.Base, path, new SavedBeside { Task = new TaskDescription("three", names, null, [Metric.Accuracy]) });
        return path;
    }

    /// <summary>One of a head that was trained, without it.</summary>
    public static string WithoutItsHead(TemporaryFolder folder)
    {
        string path = folder.File("headless"), weights = Path.Combine(path, AdapterFolder.WeightsFile);
        SentenceModel.Copy(TinyTenants.A, path);
        using (SafetensorsFile file = SafetensorsFile.Open(Path.Combine(TinyTenants.A, AdapterFolder.WeightsFile)))
        {
            var writer = new SafetensorsWriter();
            foreach (SafetensorsEntry entry in file.Entries.Where(entry => entry.Name.Contains("lora_", StringComparison.Ordinal))) writer.Add(entry.Name, entry.Type, entry.Shape.ToArray(), file.GetBytes(entry).ToArray());
            using FileStream stream = File.Create(weights);
            writer.Write(stream);
        }

        return path;
    }

    /// <summary>One that says of itself that it was trained on other weights, and something that nobody here knows.</summary>
    public static string OfAnotherBase(TemporaryFolder folder)
    {
        string path = folder.File("stranger"), config = Path.Combine(path, AdapterFolder.ConfigFile), weights = Path.Combine(path, AdapterFolder.WeightsFile);
        SentenceModel.Copy(TinyTenants.A, path);
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"bias\"", "\"colour\": \"red\", \"bias\"", StringComparison.Ordinal));
        byte[] bytes = File.ReadAllBytes(weights);
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        string header = Encoding.UTF8.GetString(bytes, 8, length).Replace("\"format\": \"pt\"", "\"format\": \"pt\", \"lora2_base_weights\": \"others\"", StringComparison.Ordinal).TrimEnd();
        byte[] changed = Encoding.UTF8.GetBytes(header.PadRight((header.Length + 7) / 8 * 8));
        byte[] before = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(before, changed.Length);
        File.WriteAllBytes(weights, [.. before, .. changed, .. bytes.AsSpan(8 + length)]);
        return path;
    }
}
