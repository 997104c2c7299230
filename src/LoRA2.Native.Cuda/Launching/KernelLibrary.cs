using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using LoRA2.Native.Cuda.Driver;

namespace LoRA2.Native.Cuda.Launching;

/// <summary>The kernels that the driver has compiled: each is a module of its own and is compiled once, when it is first asked for.</summary>
internal sealed class KernelLibrary(ICudaDriver driver)
{
    private readonly nint[] handles = new nint[KernelLaunchers.All.Length];
    private readonly Lock[] loading = [.. KernelLaunchers.All.Select(_ => new Lock())];

    /// <summary>The driver's handle of a kernel. Of threads that ask for one at once, one has it compiled and the others wait; none waits for another kernel.</summary>
    public nint Find(Kernel kernel)
    {
        nint found = Volatile.Read(ref handles[kernel.Index]);
        if (found != 0) return found;
        lock (loading[kernel.Index])
        {
            // Where it fails, who asks again has it tried again.
            if (handles[kernel.Index] == 0) Volatile.Write(ref handles[kernel.Index], driver.GetKernel(driver.LoadModule(kernel.Name, kernel.Ptx), kernel.Entry, kernel.DynamicSharedMemory));
            return handles[kernel.Index];
        }
    }

    /// <summary>Has kernels compiled on all processors, those of the longest texts first.</summary>
    public void Load(IEnumerable<Kernel> wanted)
    {
        Kernel[] missing =
            [.. wanted.Where(kernel => Volatile.Read(ref handles[kernel.Index]) == 0).Distinct().OrderByDescending(kernel => kernel.Ptx.Length).ThenBy(kernel => kernel.Index)];
        if (missing.Length == 0) return;
        try
        {
            Parallel.ForEach(
                Partitioner.Create(missing, EnumerablePartitionerOptions.NoBuffering),
                new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
                kernel => Find(kernel));
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }
}
