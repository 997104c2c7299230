using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Devices;

/// <summary>Where tensors live and their kernels run. A new tensor is on the CPU, and <see cref="Tensor.To(Device)"/> moves it; all inputs of an op are on one device, and so is its result.</summary>
public abstract unsafe class Device
{
    /// <summary>This process's processors.</summary>
    public static Device Cpu { get; } = new CpuDevice();

    /// <summary>A name for logs and for the command line.</summary>
    public abstract string Name { get; }

    /// <summary>The kernels that run here.</summary>
    internal abstract Kernels Kernels { get; }

    /// <summary>The memory of every tensor here.</summary>
    public abstract MemoryPool Memory { get; }

    /// <summary>Whether this process can read and write the memory itself.</summary>
    internal virtual bool IsHost => false;

    /// <summary>
    /// Whether the device checks that kernels stay inside the blocks they were given. Blocks are then as large as asked for and are not used again.
    /// </summary>
    internal virtual bool ChecksAccesses => false;

    /// <summary>Waits until all kernels started here are done.</summary>
    public abstract void Synchronize();

    /// <summary>Whether <see cref="Record"/> works here.</summary>
    internal virtual bool Records => false;

    /// <summary>
    /// The kernels that <paramref name="work"/> starts, to be run again and again without it; they are not run now. Nothing else may use the device meanwhile, and
    /// the work may read nothing back. What it copies to the device is copied as it is now.
    /// </summary>
    /// <param name="pass">The number of the pass (<see cref="DropoutMask.Step"/>) that the work is of.</param>
    /// <param name="work">What to record.</param>
    internal virtual DeviceProgram Record(uint pass, Action work) => throw new NotSupportedException($"{Name} does not record");

    /// <summary>Does some work at once and for good while something is recorded: what a recording makes once and everyone uses.</summary>
    internal virtual void Apart(Action work) => work();

    /// <summary>A new block, aligned for every kernel.</summary>
    /// <exception cref="OutOfMemoryException">There is not so much memory.</exception>
    internal abstract byte* Allocate(nuint bytes);

    internal abstract void Free(byte* block);

    internal abstract void Clear(byte* to, nuint bytes);

    /// <summary>Copies from this process's memory; done with it on return.</summary>
    internal abstract void CopyIn(byte* to, byte* from, nuint bytes);

    /// <summary>Copies to this process's memory, after all kernels started before; done on return.</summary>
    internal abstract void CopyOut(byte* to, byte* from, nuint bytes);

    private sealed class CpuDevice : Device
    {
        public CpuDevice() => Memory = new MemoryPool(this);

        public override string Name => "cpu";

        internal override Kernels Kernels { get; } = new Cpu.CpuKernels();

        public override MemoryPool Memory { get; }

        internal override bool IsHost => true;

        public override void Synchronize()
        {
        }

        internal override byte* Allocate(nuint bytes) => (byte*)NativeMemory.AlignedAlloc(bytes, bytes >= 1 << 21 ? 4096u : MemoryPool.Alignment);

        internal override void Free(byte* block) => NativeMemory.AlignedFree(block);

        internal override void Clear(byte* to, nuint bytes) => NativeMemory.Clear(to, bytes);

        internal override void CopyIn(byte* to, byte* from, nuint bytes) => NativeMemory.Copy(from, to, bytes);

        internal override void CopyOut(byte* to, byte* from, nuint bytes) => NativeMemory.Copy(from, to, bytes);
    }
}
