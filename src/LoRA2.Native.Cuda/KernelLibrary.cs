using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using LoRA2.Native.Cuda.Driver;

namespace LoRA2.Native.Cuda;

/// <summary>The kernels that the driver has compiled: each is a module of its own and is compiled once, when it is first asked for.</summary>
internal sealed class KernelLibrary(ICudaDriver driver)
{
    private readonly ConcurrentDictionary<string, Lazy<nint>> kernels = [];

    /// <summary>The kernel called "family.entry". Of threads that ask for one at once, one has it compiled and the others wait; none waits for another kernel.</summary>
    public nint Find(string kernel, int dynamicSharedMemory)
    {
        if (kernels.TryGetValue(kernel, out Lazy<nint>? found) && found.IsValueCreated) return found.Value;
        found ??= kernels.GetOrAdd(kernel, name => new Lazy<nint>(() => Load(name, dynamicSharedMemory)));
        try
        {
            return found.Value;
        }
        catch
        {
            // Who asks again has it tried again.
            kernels.TryRemove(new KeyValuePair<string, Lazy<nint>>(kernel, found));
            throw;
        }
    }

    /// <summary>Has kernels compiled on all processors, those of the longest texts first.</summary>
    public void Load(IEnumerable<(string Kernel, int DynamicSharedMemory)> wanted)
    {
        (string Kernel, int DynamicSharedMemory)[] missing =
            [.. wanted.Where(one => !kernels.ContainsKey(one.Kernel)).DistinctBy(one => one.Kernel).OrderByDescending(one => PtxText.OfKernel(one.Kernel).Length).ThenBy(one => one.Kernel, StringComparer.Ordinal)];
        if (missing.Length == 0) return;
        try
        {
            Parallel.ForEach(
                Partitioner.Create(missing, EnumerablePartitionerOptions.NoBuffering),
                new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
                one => Find(one.Kernel, one.DynamicSharedMemory));
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    private nint Load(string kernel, int dynamicSharedMemory) =>
        driver.GetKernel(driver.LoadModule(kernel, PtxText.OfKernel(kernel)), PtxText.EntryOf(kernel), dynamicSharedMemory);
}
