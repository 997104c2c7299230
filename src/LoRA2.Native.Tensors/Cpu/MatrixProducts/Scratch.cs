using System.Runtime.InteropServices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>What a buffer of a thread's <see cref="Scratch"/> holds.</summary>
internal enum ScratchUse
{
    /// <summary>Row strips of A.</summary>
    Strips,

    /// <summary>Column panels of B.</summary>
    Panels,

    /// <summary>Row strips of the low-rank update's left factor.</summary>
    LeftStrips,

    /// <summary>Column panels of the low-rank update's right factor.</summary>
    RightPanels,

    /// <summary>The bias's last, partial panel.</summary>
    Bias,

    /// <summary>A rounded to bfloat16 or to integers, or widened from bfloat16.</summary>
    RoundedLeft,

    /// <summary>B rounded to bfloat16.</summary>
    RoundedRight,

    /// <summary>Factors of rounded rows.</summary>
    RowScales,
}

/// <summary>
/// A thread's reusable, 64-byte aligned native buffers, one per <see cref="ScratchUse"/>. They grow and live as long as the thread.
/// </summary>
internal sealed unsafe class Scratch
{
    private const int Alignment = 64;
    private const int Uses = 8;

    [ThreadStatic]
    private static Scratch? current;

    private readonly nint[] buffers = new nint[Uses];
    private readonly nuint[] sizes = new nuint[Uses];

    private Scratch()
    {
    }

    ~Scratch()
    {
        foreach (nint buffer in buffers) NativeMemory.AlignedFree((void*)buffer);
    }

    /// <summary>
    /// This thread's buffer for <paramref name="use"/>, of at least <paramref name="count"/> elements with unspecified content.
    /// </summary>
    public static T* Get<T>(ScratchUse use, nint count)
        where T : unmanaged
    {
        Scratch scratch = current ??= new Scratch();
        nuint size = (nuint)count * (nuint)sizeof(T);
        int i = (int)use;
        if (scratch.sizes[i] < size || scratch.buffers[i] == 0)
        {
            size = (Math.Max(size, 4096) + Alignment - 1) / Alignment * Alignment;
            NativeMemory.AlignedFree((void*)scratch.buffers[i]);
            scratch.buffers[i] = 0;
            scratch.sizes[i] = 0;
            scratch.buffers[i] = (nint)NativeMemory.AlignedAlloc(size, Alignment);
            scratch.sizes[i] = size;
        }

        return (T*)scratch.buffers[i];
    }
}
