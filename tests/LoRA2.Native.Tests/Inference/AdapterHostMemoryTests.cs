using LoRA2.Native.Inference;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Training;

namespace LoRA2.Native.Tests.Inference;

/// <summary>What is in the pool that all share is counted while nobody else takes from it.</summary>
[Collection(AllocationCollection.Name)]
public sealed class AdapterHostMemoryTests
{
    [Fact]
    public void ReplacedVersionsAreFreed()
    {
        using var stressed = new StressedModel();
        using AdapterHost host = AdapterHost.Load(stressed.Base);
        host.Put("swapped", stressed.Adapters[0]);
        host.Predict([new AdapterRequest("swapped", "a good film")]);
        // What other tests left is counted as in use until it is collected.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = MemoryPool.Shared.BytesInUse;
        for (int round = 0; round < 100; round++)
        {
            host.Put("swapped", stressed.Adapters[(round + 1) % 2]);
            host.Predict([new AdapterRequest("swapped", "a good film")]);
        }

        Assert.Equal(before, MemoryPool.Shared.BytesInUse);
        Assert.True(host.Find("swapped")!.Bytes > 0);
    }
}
