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

/// <summary>Every path that saves something, with every operation of it going wrong in every way: each file is the old one or the whole new one.</summary>
public sealed class SavePathTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AnAdapter()
    {
        using var small = new SmallModel(layers: 1);
        var settings = new AdapterSettings { Method = SmallModel.Method("lora2") };
        small.Model.Attach(settings, 1);
        Check(path => AdapterFolder.Save(small.Model, settings, "base", path), () => small.Train(settings.Method, 1));
    }

    [Fact]
    public void ATask()
    {
        var task = new TaskDescription("old", ["a", "b"], 64, [Metric.Accuracy]);
        Check(path => task.Write(path), () => task = task with { Name = "a new one" });
    }

    [Fact]
    public void ACheckpoint()
    {
        EncoderConfig config = new DebertaV2Config { VocabularySize = 8064, Layers = 1, HiddenSize = 8, Heads = 2, IntermediateSize = 8 };
        using SequenceClassifier model = SequenceClassifier.Create(config, 3);
        var options = new TrainingOptions { Adapter = new AdapterSettings { Method = SmallModel.Method("lora") }, BatchSize = 2, MaxSteps = 2 };
        model.Attach(options.Adapter, 4);
        Example[] examples = [new("My parcel never arrived.", null, 0), new("Thank you!", null, 1)];
        TokenizedDataset data = TokenizedDataset.Create("parcels", examples, Tokenizer.FromFolder(SharedData.QuickStartModel), config, 32);
        using var trainer = new Trainer(model, options, data, null, [Metric.Accuracy]);
        Check(path => trainer.Save(Path.Combine(path, "checkpoint.safetensors")), () => trainer.Run());
        // What is left is a checkpoint, not only bytes.
        trainer.Resume(folder.File("checkpoint.safetensors"));
    }

    private void Check(Action<string> save, Action change)
    {
        save(folder.Path);
        Dictionary<string, byte[]> old = Files();
        change();
        var counted = new FaultyDisk(-1, Fault.Refused);
        using (Disk.Replace(counted)) save(folder.Path);
        Dictionary<string, byte[]> whole = Files();
        Assert.Equal(old.Keys.Order(), whole.Keys.Order());
        Assert.Contains(old, file => !file.Value.AsSpan().SequenceEqual(whole[file.Key]));
        Assert.True(counted.Count > 3);
        foreach (Fault fault in Enum.GetValues<Fault>())
        {
            for (int at = 0; at < counted.Count; at++)
            {
                foreach ((string name, byte[] bytes) in old) File.WriteAllBytes(folder.File(name), bytes);
                Exception? e;
                using (Disk.Replace(new FaultyDisk(at, fault))) e = Record.Exception(() => save(folder.Path));
                Assert.True(fault == Fault.Killed ? e is KilledException : e is IOException, $"{fault} at {at}: {e}");
                AtomicFile.RemoveLeftovers(folder.Path);
                Dictionary<string, byte[]> found = Files();
                Assert.Equal(old.Keys.Order(), found.Keys.Order());
                foreach ((string name, byte[] bytes) in found)
                    Assert.True(bytes.AsSpan().SequenceEqual(old[name]) || bytes.AsSpan().SequenceEqual(whole[name]), $"{fault} at {at}: {name} is neither the old nor the new one");
            }
        }
    }

    private Dictionary<string, byte[]> Files() => Directory.GetFiles(folder.Path).ToDictionary(file => Path.GetFileName(file), File.ReadAllBytes);
}
