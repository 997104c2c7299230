using System.Runtime.InteropServices;
using LoRA2.Native.Cli;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Tests.Emulation;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Cuda.Tests;

/// <summary>No GPU, one that can't be used, or one with too little memory: a sentence, exit code 2, and with <c>auto</c> the CPU.</summary>
public sealed class NoGpuTests
{
    private const string Missing = "there is no NVIDIA driver: libcuda.so.1 or libcuda.so was not found";

    private readonly StringWriter notes = new() { NewLine = "\n" };

    [Fact]
    public void WithoutADriverTheMessageSaysWhatWasLookedFor()
    {
        if (HasDriver()) return;
        CudaException e = Assert.Throws<CudaException>(() => CudaDevice.Open());
        Assert.Equal($"there is no NVIDIA driver: {string.Join(" or ", LibCuda.FileNames)} was not found", e.Message);
    }

    [Theory]
    [InlineData("finetune")]
    [InlineData("evaluate")]
    [InlineData("predict", "--text", "Where is my parcel?")]
    [InlineData("trace", "--inputs", "none", "--output", "none")]
    public void ACommandEndsWithOneSentenceAndExitCode2(params string[] command)
    {
        if (HasDriver() || OperatingSystem.IsWindows()) return;
        string[] model = command[0] == "finetune" ? ["--output", Path.Combine(Path.GetTempPath(), "none"), "--max-steps", "1"] : ["--model", QuickStart.Model];
        using var output = new MemoryStream();
        Assert.Equal(2, LoRA2Command.Run([.. command, .. model, "--device", "cuda"], new StandardStreams(Stream.Null, output, notes)));
        Assert.Equal($"lora2: --device cuda: {Missing}\n", notes.ToString());
        Assert.Equal(0, output.Length);
    }

    [Fact]
    public void AutoTakesTheCpuAndSaysWhy()
    {
        Assert.Equal(5, DeviceOption.Use("auto", notes, OnCpu, _ => throw new CudaException("the NVIDIA driver finds no GPU")));
        Assert.Equal("lora2: --device auto takes the CPU: the NVIDIA driver finds no GPU\n", notes.ToString());
        Assert.Equal(5, DeviceOption.Use("auto", notes, OnCpu, _ => throw new CudaMemoryException("there is no memory")));
        Assert.EndsWith("\nlora2: --device auto takes the CPU: there is no memory\n", notes.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cuda", 0)]
    [InlineData("cuda:1", 1)]
    public void ANamedGpuThatCantBeOpenedIsWrongInput(string value, int ordinal)
    {
        var e = Assert.Throws<InputException>(() => DeviceOption.Use(value, notes, OnCpu, asked => throw new CudaException($"number {asked}")));
        Assert.Equal($"--device {value}: number {ordinal}", e.Message);
        Assert.Empty(notes.ToString());
    }

    [Fact]
    public void AutoDoesWorkAgainThatFoundTooLittleMemory()
    {
        var places = new List<bool>();
        int code = DeviceOption.Use("auto", notes, device => Fill(device, settles: false, places), _ => Small());
        Assert.Equal((5, "lora2: --device auto takes the CPU: PTX interpreter has 1 MB of its 1 MB free; 4 MB more were needed\n"), (code, notes.ToString()));
        Assert.Equal([true, false], places);
    }

    [Theory]
    [InlineData("cuda", false)]
    [InlineData("auto", true)]
    public void WorkThatWasToBeOnTheGpuOrHasShownSomethingIsNotDoneAgain(string value, bool settles)
    {
        var places = new List<bool>();
        Assert.Throws<CudaMemoryException>(() => DeviceOption.Use(value, notes, device => Fill(device, settles, places), _ => Small()));
        Assert.Equal([true], places);
    }

    /// <summary>The first kernel shows whether the driver has a compiler that knows this PTX.</summary>
    [Fact]
    public void ADriverThatCompilesNothingIsNotOpened()
    {
        string? kernel = null;
        var driver = new EmulatedDriver { Loading = name => throw new CudaException(CudaDriver.CompilationFailure(kernel = name, "CUDA_ERROR_INVALID_PTX (bad)", "line 6; error\nfatal\n")) };
        var e = Assert.Throws<InputException>(() => DeviceOption.Use("cuda", notes, OnCpu, _ => CudaDevice.Open(driver, 0)));
        Assert.Equal($"--device cuda: the NVIDIA driver did not compile the kernel {kernel}: CUDA_ERROR_INVALID_PTX (bad); line 6; error; fatal", e.Message);
        Assert.Contains(kernel, LibraryPtx.Names);
        Assert.True(driver.IsDisposed);
    }

    [Fact]
    public void ACompilerWithoutALogLeavesItsStatus() =>
        Assert.Equal("the NVIDIA driver did not compile the kernel A.B: CUDA_ERROR_UNKNOWN", CudaDriver.CompilationFailure("A.B", "CUDA_ERROR_UNKNOWN", ""));

    [Fact]
    public void WhatTensorsLeftBehindGoesBackBeforeMemoryIsShort()
    {
        using var device = new CudaDevice(new EmulatedDriver { MemoryBytes = 4 << 20, ChecksAccesses = false }, 0);
        Tensor.Zeros([500_000], DType.Float32, device).Dispose();
        Assert.Equal(2 << 20, device.Memory.BytesReserved);
        using Tensor larger = Tensor.Zeros([750_000], DType.Float32, device);
        Assert.Equal((3 << 20, 3 << 20), (device.Memory.BytesReserved, device.Memory.BytesInUse));
        var e = Assert.Throws<CudaMemoryException>(() => Tensor.Zeros([500_000], DType.Float32, device));
        Assert.Equal("PTX interpreter has 1 MB of its 4 MB free; 2 MB more were needed", e.Message);
        Assert.Equal((3 << 20, 3 << 20), (device.Memory.BytesReserved, device.Memory.BytesInUse));
    }

    private static bool HasDriver() => LibCuda.FileNames.Any(name => NativeLibrary.TryLoad(name, out _));

    private static CudaDevice Small() => new(new EmulatedDriver { MemoryBytes = 1 << 20 }, 0);

    private static int OnCpu(DeviceOption device)
    {
        Assert.Same(Device.Cpu, device.Device);
        return 5;
    }

    private static int Fill(DeviceOption device, bool settles, List<bool> places)
    {
        places.Add(device.Device is CudaDevice);
        if (settles) device.Settle();
        using Tensor tensor = Tensor.Zeros([1 << 20], DType.Float32, device.Device);
        return 5;
    }
}
