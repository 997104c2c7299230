using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tests.Adapters;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Faults;

/// <summary>
/// Every path that saves something, with every operation of it going wrong in every way: whoever finds the file that readers ask for first finds the old set of files or
/// the whole new one, and the next to write there finds all that is needed to make it so.
/// </summary>
public sealed class SavePathTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AnAdapterWithItsTaskAndRecord()
    {
        using var small = new SmallModel(layers: 1);
        var settings = new AdapterSettings { Method = SmallModel.Method("lora2") };
        small.Model.Attach(settings, 1);
        SavedBeside beside = Beside(1);
        Check(AdapterFolder.ConfigFile, path => AdapterFolder.Save(small.Model, settings, $"base of {beside.Task!.Name}", path, beside), () =>
        {
            small.Train(settings.Method, 1);
            beside = Beside(2);
        });
    }

    [Fact]
    public void AModelWithItsTokenizer()
    {
        using var source = new TemporaryFolder();
        source.Write("config.json", "{\"model_type\": \"deberta-v2\"}");
        source.Write("vocab.txt", "[UNK]\n");
        using var small = new SmallModel(layers: 1);
        SavedBeside beside = Beside(1);
        Check(ModelFolder.ConfigFile, path => ModelFolder.Save(small.Model, source.Path, path, merged: beside.Task!.Name, beside: beside), () =>
        {
            small.Model.TrainAll();
            small.Train(SmallModel.Method("full"), 1);
            source.Write("vocab.txt", "[UNK]\nfilm\n");
            beside = Beside(2);
        });
    }

    [Fact]
    public void AModelInThePlaceOfAnAdapter()
    {
        using var small = new SmallModel(layers: 1);
        folder.Write(AdapterFolder.ConfigFile, "an earlier one");
        folder.Write(AdapterFolder.WeightsFile, "an earlier one");
        using var source = new TemporaryFolder();
        source.Write("config.json", "{}");
        ModelFolder.Save(small.Model, source.Path, folder.Path, beside: new SavedBeside { Replaced = [AdapterFolder.ConfigFile, AdapterFolder.WeightsFile] });
        Assert.Equal(["config.json", "model.safetensors"], Files().Keys.Order());
    }

    [Fact]
    public void ATask()
    {
        var task = new TaskDescription("old", ["a", "b"], 64, [Metric.Accuracy]);
        Check(TaskDescription.FileName, path => task.Write(path), () => task = task with { Name = "a new one" });
    }

    [Fact]
    public void ACheckpoint()
    {
        EncoderConfig config = new DebertaV2Config { VocabularySize = 8064, Layers = 1, HiddenSize = 8, Heads = 2, IntermediateSize = 8 };
        using SequenceClassifier model = SequenceClassifier.Create(config, 3);
        var options = new TrainingOptions { Adapter = new AdapterSettings { Method = SmallModel.Method("lora") }, BatchSize = 2, MaxSteps = 2 };
        model.Attach(options.Adapter, 4);
        Example[] examples = [new("My parcel never arrived.", null, 0), new("Thank you!", null, 1)];
        TokenizedDataset data = TokenizedDataset.Create("parcels", examples, Tokenizer.FromFolder(SharedData.Tokenizer), config, 32);
        using var trainer = new Trainer(model, options, data, null, [Metric.Accuracy]);
        const string Name = "checkpoint.safetensors";
        Check(Name, path => trainer.Save(Path.Combine(path, Name)), () => trainer.Run());
        // What is left is a checkpoint, not only bytes.
        trainer.Resume(folder.File(Name));
    }

    [Fact]
    public void AReaderIsToldThatTheFilesWereReplacedMeanwhile()
    {
        string key = folder.Write("key", "old");
        var reading = new FileSetReading(key);
        reading.RequireUnchanged();
        using (var set = new FileSet(folder.Path, "key"))
        {
            set.Add("key", "new"u8.ToArray());
            reading.RequireUnchanged();
            set.Commit([]);
        }

        Assert.Contains("were replaced while they were read", Assert.Throws<InputException>(reading.RequireUnchanged).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AReaderIsToldThatSavingWasCutOff()
    {
        using var small = new SmallModel(layers: 1);
        var settings = new AdapterSettings { Method = SmallModel.Method("lora") };
        small.Model.Attach(settings, 1);
        var disk = new FaultyDisk(-1, Fault.Killed);
        using (Disk.Replace(disk)) AdapterFolder.Save(small.Model, settings, "base", folder.Path);
        // The list of files goes last, the key's name is flushed before it, and it gets it before that.
        using (Disk.Replace(new FaultyDisk(disk.Count - 3, Fault.Killed))) Assert.Throws<KilledException>(() => AdapterFolder.Save(small.Model, settings, "base", folder.Path));
        InputException e = Assert.Throws<InputException>(() => AdapterFolder.Load(small.Model, folder.Path));
        Assert.Contains("saving it was cut off", e.Message, StringComparison.Ordinal);
    }

    private static SavedBeside Beside(int version) => new()
    {
        Task = new TaskDescription($"version {version}", ["a", "b"], 64, [Metric.Accuracy]),
        Files = new Dictionary<string, ReadOnlyMemory<byte>> { ["training.json"] = new[] { (byte)('0' + version) } },
    };

    private void Check(string key, Action<string> save, Action change)
    {
        save(folder.Path);
        Dictionary<string, byte[]> old = Files();
        change();
        var counted = new FaultyDisk(-1, Fault.Refused);
        using (Disk.Replace(counted)) save(folder.Path);
        Dictionary<string, byte[]> whole = Files();
        Assert.Equal(old.Keys.Order(), whole.Keys.Order());
        Assert.All(old, file => Assert.NotEqual(file.Value, whole[file.Key]));
        Assert.True(counted.Count > 3);
        foreach (Fault fault in Enum.GetValues<Fault>())
        {
            for (int at = 0; at < counted.Count; at++)
            {
                // The next to write there may be killed as well, at any of its operations.
                bool isEnded = false;
                for (int again = 0; !isEnded; again++)
                {
                    foreach (string name in Directory.GetFiles(folder.Path)) File.Delete(name);
                    foreach ((string name, byte[] bytes) in old) File.WriteAllBytes(folder.File(name), bytes);
                    Exception? e;
                    using (Disk.Replace(new FaultyDisk(at, fault))) e = Record.Exception(() => save(folder.Path));
                    string where = $"{fault} at {at}, then at {again}: {e}";
                    Assert.True(fault == Fault.Killed ? e is KilledException : e is IOException, where);
                    RequireOneSet(where);
                    using (Disk.Replace(new FaultyDisk(again, Fault.Killed))) isEnded = Record.Exception(() => AtomicFile.RemoveLeftovers(folder.Path)) is null;
                    RequireOneSet(where);
                    AtomicFile.RemoveLeftovers(folder.Path);
                    Assert.True(File.Exists(folder.File(key)), where);
                    RequireOneSet(where);
                    Assert.True(Files().Count == Directory.GetFiles(folder.Path).Length, where);
                }
            }
        }

        void RequireOneSet(string where)
        {
            Dictionary<string, byte[]> found = Files();
            if (found.ContainsKey(key)) Assert.True(AreSame(found, old) || AreSame(found, whole), $"{where}: {string.Join(", ", found.Keys)} are neither the old nor the new ones");
        }
    }

    private static bool AreSame(Dictionary<string, byte[]> some, Dictionary<string, byte[]> others) =>
        some.Count == others.Count && some.All(file => others.TryGetValue(file.Key, out byte[]? bytes) && bytes.AsSpan().SequenceEqual(file.Value));

    /// <summary>All but those under temporary names.</summary>
    private Dictionary<string, byte[]> Files() =>
        Directory.GetFiles(folder.Path).Where(file => Path.GetFileName(file)[0] != '.').ToDictionary(file => Path.GetFileName(file), File.ReadAllBytes);
}
