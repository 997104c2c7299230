using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Cuda.Operations;

/// <summary>
/// A table in the device's memory of what one kernel goes over: it is copied there again only when it is not what it was the last time, as the tensors of one
/// training step seldom differ from those of the step before.
/// </summary>
internal sealed unsafe class DeviceTable(CudaDevice device)
{
    private byte[] next = [];
    private byte[] there = [];
    private int length;
    private int lengthThere = -1;
    private Storage? memory;

    /// <summary>Room, cleared, for the next table.</summary>
    public Span<byte> Next(int bytes)
    {
        if (next.Length < bytes) next = new byte[bytes];
        length = bytes;
        next.AsSpan(0, bytes).Clear();
        return next.AsSpan(0, bytes);
    }

    /// <summary>Puts the table where kernels can read it, and returns its address.</summary>
    public Address Put()
    {
        ReadOnlySpan<byte> table = next.AsSpan(0, length);
        if (device.Recorder is { } recorder)
        {
            fixed (byte* from = table) return recorder.Constant(from, (nuint)length);
        }

        if (length == lengthThere && table.SequenceEqual(there.AsSpan(0, length))) return memory;
        if (memory is null || memory.Size < (nuint)length)
        {
            memory?.Release();
            memory = device.Memory.Rent((nuint)length);
        }

        fixed (byte* from = table) device.CopyIn(memory.Pointer, from, (nuint)length);
        (next, there) = (there, next);
        lengthThere = length;
        return memory;
    }
}
