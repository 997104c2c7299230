using System.Numerics;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>
/// What the attention kernels share: sizes and operands. One head of one sequence is a length × size block with <see cref="Width"/> elements
/// between rows. Position tables are positions × width; <see cref="RowOf"/> has the row of each distance, from −(length − 1).
/// </summary>
internal unsafe struct AttentionShape<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public int Batch;
    public int Length;
    public int Width;
    public int Heads;
    public int Positions;
    public T Scale;
    public T* Q;
    public T* K;
    public T* V;
    public T* PositionKey;
    public T* PositionQuery;
    public int* RowOf;
    public int* Mask;

    /// <summary>Where each sequence begins among rows without padding, and where the last ends; or null.</summary>
    public int* Starts;

    public bool MaskQueries;
    public double DropoutProbability;
    public Philox Random;

    /// <summary>
    /// Probabilities for the backward pass, [batch, heads, length, length], with the sign bit set where dropout drops; or null, and it computes
    /// them again. Rows and columns of trailing padding are neither written nor read.
    /// </summary>
    public T* Kept;

    /// <summary>Whether products are of bfloat16 tiles, by whatever multiplies them.</summary>
    public bool OnTiles;

    /// <summary>Where the probabilities before dropout go, [batch, heads, length, length], or null.</summary>
    public T* Probabilities;

    /// <summary>Parts that a head's sequences are dealt to: enough for a machine's threads, few enough that a head's position tables are read seldom.</summary>
    private const int MostParts = 48;

    public readonly int Size => Width / Heads;

    /// <summary>Parts of one head; depends on the shape alone.</summary>
    public readonly int Groups => Math.Min(Batch, (MostParts + Heads - 1) / Heads);

    /// <summary>First sequence of a group.</summary>
    public readonly int FirstOf(int group) => (int)((long)Batch * group / Groups);

    /// <summary>Elements before the block of one head of one sequence in q, k, v and their gradients.</summary>
    public readonly nint Block(int batch, int head) => ((Starts == null ? (nint)batch * Length : Starts[batch]) * Width) + ((nint)head * Size);

    /// <summary>Elements before row <paramref name="query"/> of one head of one sequence in [batch, heads, length, length].</summary>
    public readonly nint Row(int batch, int head, int query) => (((((nint)batch * Heads) + head) * Length) + query) * Length;

    /// <summary>A sequence's mask, or null.</summary>
    public readonly int* MaskOf(int batch) => Mask == null ? null : Mask + ((nint)batch * Length);

    /// <summary>A sequence's rows in q, k, v and their gradients.</summary>
    public readonly int RowsOf(int batch) => Starts == null ? Length : Starts[batch + 1] - Starts[batch];

    /// <summary>The sequence's length without trailing padding.</summary>
    public readonly int KeysOf(int batch)
    {
        int keys = RowsOf(batch);
        if (Mask == null) return keys;
        int* mask = MaskOf(batch);
        while (keys > 0 && mask[keys - 1] == 0) keys--;
        return keys;
    }
}
