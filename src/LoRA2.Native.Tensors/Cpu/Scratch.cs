using System.Runtime.InteropServices;

namespace LoRA2.Native.Tensors.Cpu;

/// <summary>
/// Who uses a scratch buffer. Two kernels that may be active on one thread at the same time, one inside the other, need different slots.
/// </summary>
internal enum ScratchSlot
{
    /// <summary>Partial results of a blocked reduction, held by the thread that starts the region.</summary>
    Partials,

    /// <summary>A row, inside a part.</summary>
    Row,

    /// <summary>Packed left operands, inside a part.</summary>
    PackedLeft,

    /// <summary>Packed right operands, inside a part or shared by a region.</summary>
    PackedRight,

    /// <summary>The blocks of attention, inside a part.</summary>
    Scores,

    /// <summary>The small matrices that one adapter's factors make, inside a part.</summary>
    Factors,

    /// <summary>The operands of each part of a region, held by the thread that starts it.</summary>
    Operands,

    /// <summary>The first part of each array of a region over many, held by the thread that starts it.</summary>
    Starts,

    /// <summary>The windows of an image as a matrix, inside a part or held by the thread that starts the region.</summary>
    Windows,
}

/// <summary>
/// Each thread's reusable native buffers, 64-byte aligned, that only grow. Contents are undefined when asked for. They are freed when the
/// thread is gone.
/// </summary>
internal static unsafe class Scratch
{
    private const int Alignment = 64;

    [ThreadStatic]
    private static Buffers? buffers;

    /// <summary>At least <paramref name="count"/> elements, valid until this thread asks for more in the same slot.</summary>
    public static T* Get<T>(ScratchSlot slot, nint count)
        where T : unmanaged => (T*)(buffers ??= new Buffers()).Get((int)slot, checked((nuint)count * (nuint)sizeof(T)));

    private sealed class Buffers
    {
        private readonly nint[] pointers = new nint[(int)ScratchSlot.Windows + 1];
        private readonly nuint[] sizes = new nuint[(int)ScratchSlot.Windows + 1];

        ~Buffers()
        {
            foreach (nint pointer in pointers) NativeMemory.AlignedFree((void*)pointer);
        }

        public void* Get(int slot, nuint bytes)
        {
            if (sizes[slot] < bytes || pointers[slot] == 0)
            {
                nuint size = Math.Max(4096, Math.Max(bytes, sizes[slot] + (sizes[slot] / 2)));
                void* grown = NativeMemory.AlignedAlloc(size, Alignment);
                NativeMemory.AlignedFree((void*)pointers[slot]);
                pointers[slot] = (nint)grown;
                sizes[slot] = size;
            }

            return (void*)pointers[slot];
        }
    }
}
