using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Safetensors;
using LoRA2.Native.TensorBoard;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tests.Adapters;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Inference;

/// <summary>What was disposed of says so, the second disposal does nothing, and numbers out of range are refused by name.</summary>
public sealed class DisposedTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AModelAndWhatIsMadeOfIt()
    {
        var small = new SmallModel(layers: 1);
        var settings = new AdapterSettings { Method = SmallModel.Method("lora") };
        small.Model.Attach(settings, 1);
        MergedAdapters merged = small.Model.Merge();
        merged.Dispose();
        merged.Dispose();
        Assert.Throws<ObjectDisposedException>(merged.Unmerge);
        small.Model.Dispose();
        small.Model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => small.Model.Forward(small.Batch, ForwardContext.Inference));
        Assert.Throws<ObjectDisposedException>(() => small.Model.MoveTo(LoRA2.Native.Tensors.Devices.Device.Cpu));
        Assert.Throws<ObjectDisposedException>(small.Model.FreezeBase);
        Assert.Throws<ObjectDisposedException>(small.Model.TrainAll);
        Assert.Throws<ObjectDisposedException>(() => small.Model.Merge());
        Assert.Throws<ObjectDisposedException>(() => AdapterFolder.Save(small.Model, settings, "base", folder.File("adapter")));
        Assert.Throws<ObjectDisposedException>(() => ModelFolder.Save(small.Model, folder.Path, folder.File("model")));
        Assert.False(Directory.Exists(folder.File("adapter")));
        small.Dispose();
    }

    [Fact]
    public void AClassifier()
    {
        using var stressed = new StressedModel();
        TextClassifier classifier = TextClassifier.Load(stressed.Base, stressed.Adapters[0]);
        Assert.Throws<ArgumentOutOfRangeException>("batchSize", () => classifier.Predict([new Example("a good film")], 0));
        classifier.Dispose();
        classifier.Dispose();
        Assert.Throws<ObjectDisposedException>(() => classifier.Predict("a good film"));
        Assert.Throws<ObjectDisposedException>(() => AdapterFolder.Load(classifier.Model, stressed.Adapters[1]));
    }

    [Fact]
    public void Files()
    {
        using var stressed = new StressedModel();
        SafetensorsFolder weights = SafetensorsFolder.Open(stressed.Base);
        SafetensorsFile file = weights.Files[0];
        SafetensorsEntry entry = file.Entries[0];
        weights.Dispose();
        weights.Dispose();
        Assert.Throws<ObjectDisposedException>(() => weights.Get(entry.Name));
        Assert.Throws<ObjectDisposedException>(() => weights.TryGet(entry.Name, out _, out _));
        Assert.Throws<ObjectDisposedException>(() => file.GetBytes(entry).Length);
        Assert.Throws<ObjectDisposedException>(() => file.ReadFloat32(entry, new float[entry.ElementCount]));
        Assert.Throws<ObjectDisposedException>(() => file.ContentChecksum());
        var events = new EventFile(folder.Path);
        events.Dispose();
        events.Dispose();
        Assert.Throws<ObjectDisposedException>(() => events.Scalar("a", 1, 1));
        Assert.Throws<ObjectDisposedException>(events.Flush);
    }

    [Fact]
    public void AnOptimizer()
    {
        var parameter = new Parameter("p", Tensor.Full([3], 1));
        parameter.Train();
        Assert.Throws<ArgumentOutOfRangeException>("beta1", () => new AdamWOptimizer([new([parameter], 0)], beta1: 1));
        Assert.Throws<ArgumentOutOfRangeException>("beta2", () => new AdamWOptimizer([new([parameter], 0)], beta2: double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>("epsilon", () => new AdamWOptimizer([new([parameter], 0)], epsilon: -1));
        var optimizer = new AdamWOptimizer([new([parameter], 0)]);
        optimizer.Dispose();
        optimizer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => optimizer.Step(0.1));
        parameter.Value.Dispose();
    }
}
