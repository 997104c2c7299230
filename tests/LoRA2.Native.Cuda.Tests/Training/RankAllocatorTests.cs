using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Cuda.Tests.Emulation;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cuda.Tests.Training;

/// <summary>Pruning on a device: the CPU's choice, ties among it, for one copy back and one there.</summary>
public sealed class RankAllocatorTests : IDisposable
{
    private const int Steps = 9;

    private readonly EmulatedDriver driver = new();
    private readonly CudaDevice device;

    public RankAllocatorTests() => device = new CudaDevice(driver, 0);

    public void Dispose() => device.Dispose();

    [Theory]
    [InlineData("lora2", 3)]
    [InlineData("lora2-full", 5)]
    [InlineData("adalora", 4)]
    public void ChoosesAsTheCpuDoes(string method, int rank)
    {
        using SequenceClassifier here = Model(method, rank, Device.Cpu), there = Model(method, rank, device);
        using RankAllocator cpu = Allocator(here), gpu = Allocator(there);
        for (int step = 0; step < Steps; step++)
        {
            foreach (RankAllocator allocator in (RankAllocator[])[cpu, gpu]) Fill(allocator, step);
            (int readings, int writings) = (driver.Readings, driver.Writings);
            gpu.Prune(step);
            cpu.Prune(step);
            bool chooses = cpu.Schedule.Chooses(step);
            Assert.Equal(chooses ? 1 : 0, driver.Readings - readings);
            // The mask; the first time also what the kernels go over.
            Assert.Equal(chooses ? step == 2 ? 3 : 1 : 0, driver.Writings - writings);
            Assert.Equal(cpu.Mask, gpu.Mask);
            Assert.Equal(Values(cpu), Values(gpu));
            if (chooses) Assert.Equal(cpu.Budget, gpu.Mask!.Count(keep => keep == '1'));
        }

        double[] means = new double[cpu.Adapters.Count], found = new double[means.Length];
        cpu.MeanImportances(means);
        int before = driver.Readings;
        gpu.MeanImportances(found);
        Assert.Equal(before + 1, driver.Readings);
        Assert.Equal(means, found);
    }

    /// <summary>After a checkpoint the mask is there again.</summary>
    [Fact]
    public void AMaskThatWasSavedIsApplied()
    {
        using SequenceClassifier model = Model("lora2", 3, device);
        using RankAllocator saved = Allocator(model), resumed = Allocator(model);
        Fill(saved, 0);
        saved.Prune(7);
        Fill(resumed, 1);
        resumed.Mask = saved.Mask;
        resumed.Prune(8);
        Assert.Equal(saved.Mask, string.Concat(Values(resumed).Select(value => value == 0 ? '0' : '1')));
        Assert.Throws<FormatException>(() => resumed.Mask = "01");
    }

    private static SequenceClassifier Model(string method, int rank, Device device)
    {
        SequenceClassifier model = SequenceClassifier.Create(
            new DebertaV2Config { VocabularySize = 50, Layers = 7, HiddenSize = 8, Heads = 2, IntermediateSize = 12, PositionBuckets = 8, MaxPositions = 16 }, 3);
        AdapterMethod made = method switch
        {
            "adalora" => new AdaLoRAMethod { Rank = rank },
            "lora2" => new LoRA2Method { Rank = rank, OuterRank = 3 },
            _ => new LoRA2Method { Rank = rank, OuterRank = 2, Importance = ImportanceMode.Full },
        };
        model.Attach(new AdapterSettings { Method = made }, 4);
        model.MoveTo(device);
        return model;
    }

    private static RankAllocator Allocator(SequenceClassifier model)
    {
        SingularValueAdapter[] adapters = [.. model.Adapters().OfType<SingularValueAdapter>()];
        int total = adapters.Sum(adapter => adapter.SingularValues.Count);
        return new RankAllocator(adapters, new BudgetSchedule(total, total / 2, 0, 2, Steps, 2));
    }

    /// <summary>Averages of few different values, so that there are ties, and singular values that are not 0.</summary>
    private static void Fill(RankAllocator allocator, int step)
    {
        int seed = 100 * step;
        foreach ((_, Tensor values) in allocator.State)
        {
            var random = new Random(seed++);
            values.Write<float>([.. Enumerable.Range(0, values.Count).Select(_ => random.Next(3) * 0.25f)]);
        }

        foreach (SingularValueAdapter adapter in allocator.Adapters)
            adapter.SingularValues.Write<float>([.. Enumerable.Range(1, adapter.SingularValues.Count).Select(i => (float)i)]);
    }

    private static float[] Values(RankAllocator allocator) => [.. allocator.Adapters.SelectMany(adapter => adapter.SingularValues.ToArray<float>())];
}
