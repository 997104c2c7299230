using System.Numerics;
using System.Runtime.InteropServices;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary><c>ld</c> of one, two or four elements, each as wide as its register.</summary>
internal sealed unsafe class Load<T>(MemoryTarget target, Slot?[] to) : MemoryAccess(target, sizeof(T) * to.Length)
    where T : unmanaged
{
    public override void Execute(Warp warp, uint mask)
    {
        var pointers = stackalloc byte*[32];
        Locate(warp, mask, MemoryUse.Read, pointers);
        for (var e = 0; e < to.Length; e++)
        {
            if (to[e] is not { } slot)
                continue;
            var d = (T*)(warp.Registers + slot.Offset);
            if (mask == uint.MaxValue)
            {
                for (var lane = 0; lane < 32; lane++)
                    d[lane] = ((T*)pointers[lane])[e];
                continue;
            }
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                d[lane] = ((T*)pointers[lane])[e];
            }
        }
    }
}

/// <summary><c>ld</c> of an element narrower than its register: the sign or zeros fill the rest.</summary>
internal sealed unsafe class LoadExtended(MemoryTarget target, int size, bool signed, Slot[] to) : MemoryAccess(target, size * to.Length)
{
    public override void Execute(Warp warp, uint mask)
    {
        var pointers = stackalloc byte*[32];
        Locate(warp, mask, MemoryUse.Read, pointers);
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var from = pointers[lane];
            for (var e = 0; e < to.Length; e++, from += size)
            {
                long value = size switch
                {
                    1 => signed ? *(sbyte*)from : *from,
                    2 => signed ? *(short*)from : *(ushort*)from,
                    _ => signed ? *(int*)from : *(uint*)from,
                };
                var d = warp.Registers + to[e].Offset + (lane * to[e].Width);
                if (to[e].Width == 8)
                    *(long*)d = value;
                else if (to[e].Width == 4)
                    *(int*)d = (int)value;
                else
                    *(short*)d = (short)value;
            }
        }
    }
}

/// <summary><c>ld.param</c> of a kernel's own parameter: the same for all lanes.</summary>
internal sealed unsafe class LoadParameter(int offset, int bytes, bool signed, Slot[] to) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        for (var e = 0; e < to.Length; e++)
        {
            var from = warp.Block.Parameters.AsSpan(offset + (e * bytes), bytes);
            ulong value = signed && (from[^1] & 0x80) != 0 ? ulong.MaxValue : 0;
            from.CopyTo(MemoryMarshal.AsBytes(new Span<ulong>(ref value)));
            var d = warp.Registers + to[e].Offset;
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                if (to[e].Width == 8)
                    ((ulong*)d)[lane] = value;
                else if (to[e].Width == 4)
                    ((uint*)d)[lane] = (uint)value;
                else
                    ((ushort*)d)[lane] = (ushort)value;
            }
        }
    }
}
