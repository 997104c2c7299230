using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Cuda.Tests.Emulation;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Cuda.Tests;

public sealed class KernelLibraryTests
{
    private static readonly Kernel[] Kernels = [.. KernelLaunchers.All.Where(kernel => kernel.Name.Split('.')[0] is "Activations" or "Elementwise" or "Reductions")];

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Fact]
    public void ThreadsThatAskForOneKernelGetOneLoading()
    {
        using var driver = new EmulatedDriver();
        var library = new KernelLibrary(driver);
        using var together = new Barrier(4);
        var found = new nint[4][];
        Threads(4, i =>
        {
            together.SignalAndWait(Long);
            found[i] = [.. Kernels.Select(kernel => library.Find(kernel))];
        });
        Assert.All(found, handles => Assert.Equal(found[0], handles));
        Assert.Equal(Kernels.Select(kernel => kernel.Name), driver.Loaded.Order(StringComparer.Ordinal));
        library.Load(Kernels);
        Assert.Equal(Kernels.Length, driver.Loaded.Count);
    }

    [Fact]
    public void OneKernelIsLoadedWhileAnotherIs()
    {
        using var both = new Barrier(2);
        using var driver = new EmulatedDriver { Loading = _ => Assert.True(both.SignalAndWait(Long)) };
        var library = new KernelLibrary(driver);
        Threads(2, i => library.Find(Kernels[i]));
        Assert.Equal(2, driver.Loaded.Count);
    }

    [Fact]
    public void AKernelThatWasNotCompiledIsTriedAgain()
    {
        bool fails = true;
        using var driver = new EmulatedDriver { Loading = name => { if (fails && name == Kernels[3].Name) throw new CudaException("no"); } };
        var library = new KernelLibrary(driver);
        Assert.Equal("no", Assert.Throws<CudaException>(() => library.Load(Kernels)).Message);
        fails = false;
        library.Load(Kernels);
        Assert.Equal(Kernels.Select(kernel => kernel.Name), driver.Loaded.Order(StringComparer.Ordinal));
    }

    /// <summary>While a step is recorded nothing is compiled; what it needs and is not there yet is, once, at its end.</summary>
    [Fact]
    public void ARecordingsKernelsAreLoadedAtItsEnd()
    {
        using var driver = new EmulatedDriver();
        using var device = new CudaDevice(driver, 0);
        using Tensor x = Tensor.Full([100], 2).To(device), y = Tensor.Zeros([100], DType.Float32, device);
        device.Kernels.Scale(x, 1, y);
        Assert.Equal(["Elementwise.Scale"], driver.Loaded);
        using DeviceProgram program = device.Record(0, () =>
        {
            device.Kernels.Add(x, y, y);
            device.Kernels.Activate(Activation.Gelu, y, y);
            device.Kernels.Add(x, y, y);
            device.Kernels.Scale(x, 3, y);
            Assert.Single(driver.Loaded);
            Assert.Equal(0, driver.LiveGraphs);
        });
        Assert.Equal(["Activations.Gelu", "Elementwise.Add", "Elementwise.Scale"], driver.Loaded.Order());
        program.Run(0);
        Assert.Equal(6, y.ToArray<float>()[99]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ARecordingThatFailsLeavesNothing(bool inWork)
    {
        using var driver = new EmulatedDriver { Loading = name => { if (name == "Activations.Gelu") throw new CudaException("no"); } };
        using var device = new CudaDevice(driver, 0);
        using Tensor x = Tensor.Full([100], 2).To(device);
        (long free, _) = device.MemoryBytes;
        Assert.Throws<CudaException>(() => device.Record(0, () =>
        {
            using var scope = new TensorScope();
            using Tensor constant = Tensor.Full([100], 3).To(device);
            device.Kernels.Add(x, constant, constant);
            device.Kernels.Activate(Activation.Gelu, constant, constant);
            if (inWork) throw new CudaException("no");
        }));
        Assert.Equal(0, driver.LiveGraphs);
        Assert.Equal(free, device.MemoryBytes.Free);
        using DeviceProgram program = device.Record(0, () => device.Kernels.Add(x, x, x));
        program.Run(0);
        Assert.Equal(4, x.ToArray<float>()[0]);
    }

    private static void Threads(int count, Action<int> work)
    {
        var failures = new Exception?[count];
        Thread[] threads =
        [
            .. Enumerable.Range(0, count).Select(i => new Thread(() =>
            {
                try
                {
                    work(i);
                }
                catch (Exception e)
                {
                    failures[i] = e;
                }
            })),
        ];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.All(failures, Assert.Null);
    }
}
