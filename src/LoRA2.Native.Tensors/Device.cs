namespace LoRA2.Native.Tensors;

/// <summary>Where tensors live and their kernels run.</summary>
public abstract class Device
{
    /// <summary>This process's processors.</summary>
    public static Device Cpu { get; } = new CpuDevice();

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
