namespace LoRA2.Native.Tensors;

/// <summary>Where tensors live and their kernels run.</summary>
public abstract class Device
{
    /// <summary>This process's processors.</summary>
    public static Device Cpu { get; } = new CpuDevice();

    /// <summary>
    /// Threads the processor's kernels use. Starts at the environment variable <c>LORA2_THREADS</c>, else the number of processors. Results don't depend on it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1 or above 1,024.</exception>
    public static int CpuThreads
    {
        get => LoRA2.Native.Tensors.Cpu.ThreadTeam.Count;
        set => LoRA2.Native.Tensors.Cpu.ThreadTeam.Count = value;
    }

    /// <summary>A name for logs.</summary>
    public abstract string Name { get; }

    /// <summary>The kernels that run here.</summary>
    public abstract Kernels Kernels { get; }

    private sealed class CpuDevice : Device
    {
        public override string Name => "cpu";

        public override Kernels Kernels { get; } = new Cpu.CpuKernels();
    }
}
