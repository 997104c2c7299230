using System.Numerics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary><c>ld</c> of one, two or four elements, each as wide as its register.</summary>
internal sealed unsafe class Load<T>(MemoryTarget target, Slot?[] to) : MemoryAccess(target, sizeof(T) * to.Length)
    where T : unmanaged
{
    public override void Execute(Warp warp, uint mask)
    {
        if (to.Length == 1 && IsGlobal && Target.Address.Width == 8)
        {
            ExecuteGlobal(warp, mask);
            return;
        }
        // A register of the list may also hold the address, so all lanes' values are read before any is written.
        var values = stackalloc T[32 * to.Length];
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            var from = (T*)Locate(warp, lane, Address(warp, lane), MemoryUse.Read);
            for (var e = 0; e < to.Length; e++)
                values[e * 32 + lane] = from[e];
        }
        for (var e = 0; e < to.Length; e++)
        {
            if (to[e] is not { } slot)
                continue;
            var d = (T*)(warp.Registers + slot.Offset);
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                d[lane] = values[e * 32 + lane];
            }
        }
    }

    private void ExecuteGlobal(Warp warp, uint mask)
    {
        if (to[0] is not { } slot)
            return;
        var addresses = (ulong*)(warp.Registers + Target.Address.Offset);
        var d = (T*)(warp.Registers + slot.Offset);
        var offset = (ulong)Target.Offset;
        var range = warp.Ranges[Target.Range];
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var address = addresses[lane] + offset;
            if (!range.Contains(address) || (address & (ulong)(sizeof(T) - 1)) != 0)
            {
                Locate(warp, lane, address, MemoryUse.Read);
                range = warp.Ranges[Target.Range];
            }
            d[lane] = *(T*)address;
        }
    }
}

/// <summary><c>ld</c> of an element narrower than its register: the sign or zeros fill the rest.</summary>
internal sealed unsafe class LoadExtended(MemoryTarget target, int bytes, bool signed, Slot[] to) : MemoryAccess(target, bytes * to.Length)
{
    public override void Execute(Warp warp, uint mask)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            var from = Locate(warp, lane, Address(warp, lane), MemoryUse.Read);
            for (var e = 0; e < to.Length; e++, from += bytes)
            {
                long value = bytes switch
                {
                    1 => signed ? *(sbyte*)from : *from,
                    2 => signed ? *(short*)from : *(ushort*)from,
                    _ => signed ? *(int*)from : *(uint*)from,
                };
                var d = warp.Registers + to[e].Offset + lane * to[e].Width;
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
        for (; mask != 0; mask &= mask - 1)
        {
            var lane = BitOperations.TrailingZeroCount(mask);
            for (var e = 0; e < to.Length; e++)
            {
                var from = warp.Block.Parameters.AsSpan(offset + e * bytes, bytes);
                var d = new Span<byte>(warp.Registers + to[e].Offset + lane * to[e].Width, to[e].Width);
                d.Fill(signed && (from[^1] & 0x80) != 0 ? (byte)0xFF : (byte)0);
                from.CopyTo(d);
            }
        }
    }
}
