using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Elementwise;

/// <summary>
/// Copies of a strided array of one to six dimensions to a contiguous one, element by element, with or without another element type, and the way back.
/// n1 … n5 are the sizes of all dimensions but the first, which has what is left, s0 … s5 the distances between neighbours; of fewer than six dimensions the
/// first ones are given.
/// </summary>
[KernelFamily]
internal static unsafe class Copies
{
    /// <summary>Elements of 16 bytes.</summary>
    public static void Fours(
        nint source, nint destination, uint count, uint dimensions, uint n1, uint n2, uint n3, uint n4, uint n5, int s0, int s1, int s2, int s3, int s4, int s5)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
            ((Float4*)destination)[i] = ((Float4*)source)[Offset(i, dimensions, n1, n2, n3, n4, n5, s0, s1, s2, s3, s4, s5)];
    }

    /// <summary>Elements of 4 bytes.</summary>
    public static void Words(
        nint source, nint destination, uint count, uint dimensions, uint n1, uint n2, uint n3, uint n4, uint n5, int s0, int s1, int s2, int s3, int s4, int s5)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
            ((uint*)destination)[i] = ((uint*)source)[Offset(i, dimensions, n1, n2, n3, n4, n5, s0, s1, s2, s3, s4, s5)];
    }

    /// <summary>Elements of 2 bytes.</summary>
    public static void Halves(
        nint source, nint destination, uint count, uint dimensions, uint n1, uint n2, uint n3, uint n4, uint n5, int s0, int s1, int s2, int s3, int s4, int s5)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
            ((ushort*)destination)[i] = ((ushort*)source)[Offset(i, dimensions, n1, n2, n3, n4, n5, s0, s1, s2, s3, s4, s5)];
    }

    /// <summary>
    /// The words of many arrays to one, a block a piece. A piece's record is of 16 bytes: its address, the number of its words, and the place of the first in the
    /// destination.
    /// </summary>
    public static void Join(nint records, nint destination)
    {
        nint record = records + (nint)(16UL * (uint)Grid.IdxX);
        uint* from = (uint*)*(long*)record;
        uint count = ((uint*)record)[2];
        uint* to = (uint*)destination + ((uint*)record)[3];
        for (uint i = (uint)Group.IdxX; i < count; i += (uint)Group.DimX) to[i] = from[i];
    }

    /// <summary>Float to bfloat16, to nearest, ties to even.</summary>
    public static void ToBFloat16(
        nint source, nint destination, uint count, uint dimensions, uint n1, uint n2, uint n3, uint n4, uint n5, int s0, int s1, int s2, int s3, int s4, int s5)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            uint bits = ((uint*)source)[Offset(i, dimensions, n1, n2, n3, n4, n5, s0, s1, s2, s3, s4, s5)];
            uint upper = bits >> 16;
            uint rounded = (bits + 0x7FFF + (upper & 1)) >> 16;
            ((ushort*)destination)[i] = (ushort)((bits & 0x7FFFFFFF) > 0x7F800000 ? upper | 0x40 : rounded);
        }
    }

    /// <summary>Bfloat16 to float.</summary>
    public static void FromBFloat16(
        nint source, nint destination, uint count, uint dimensions, uint n1, uint n2, uint n3, uint n4, uint n5, int s0, int s1, int s2, int s3, int s4, int s5)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
            ((uint*)destination)[i] = (uint)((ushort*)source)[Offset(i, dimensions, n1, n2, n3, n4, n5, s0, s1, s2, s3, s4, s5)] << 16;
    }

    /// <summary>Int32 to float.</summary>
    public static void FromInt32(
        nint source, nint destination, uint count, uint dimensions, uint n1, uint n2, uint n3, uint n4, uint n5, int s0, int s1, int s2, int s3, int s4, int s5)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
            ((float*)destination)[i] = ((int*)source)[Offset(i, dimensions, n1, n2, n3, n4, n5, s0, s1, s2, s3, s4, s5)];
    }

    /// <summary>
    /// destination += Σ_j source, over <paramref name="length"/> elements <paramref name="step"/> apart in the source, in order and in double; a thread for each
    /// of <paramref name="count"/> destination elements, whose place in the source has strides f0 … f5 and in the destination s0 … s5.
    /// </summary>
    public static void Accumulate(
        nint source, nint destination, uint count, uint length, uint step, uint dimensions, uint n1, uint n2, uint n3, uint n4, uint n5,
        int f0, int f1, int f2, int f3, int f4, int f5, int s0, int s1, int s2, int s3, int s4, int s5)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            float* from = (float*)source + Offset(i, dimensions, n1, n2, n3, n4, n5, f0, f1, f2, f3, f4, f5);
            float* to = (float*)destination + Offset(i, dimensions, n1, n2, n3, n4, n5, s0, s1, s2, s3, s4, s5);
            double sum = 0;
            for (uint j = 0; j < length; j++) sum += from[(ulong)j * step];
            *to += (float)sum;
        }
    }

    /// <summary>The same by a block for each destination element, in a fixed order; for few elements of long sums.</summary>
    public static void AccumulateBlock(
        nint source, nint destination, uint count, uint length, uint step, uint dimensions, uint n1, uint n2, uint n3, uint n4, uint n5,
        int f0, int f1, int f2, int f3, int f4, int f5, int s0, int s1, int s2, int s3, int s4, int s5)
    {
        uint i = (uint)Grid.IdxX;
        float* from = (float*)source + Offset(i, dimensions, n1, n2, n3, n4, n5, f0, f1, f2, f3, f4, f5);
        double sum = 0;
        for (uint j = (uint)Group.IdxX; j < length; j += BlockReduction.Threads) sum += from[(ulong)j * step];
        sum = BlockReduction.Sum(sum);
        if (Group.IdxX == 0) ((float*)destination)[Offset(i, dimensions, n1, n2, n3, n4, n5, s0, s1, s2, s3, s4, s5)] += (float)sum;
    }

    /// <summary>Where element <paramref name="index"/> of the contiguous array is in the strided one.</summary>
    private static long Offset(
        uint index, uint dimensions, uint n1, uint n2, uint n3, uint n4, uint n5, int s0, int s1, int s2, int s3, int s4, int s5)
    {
        long offset = 0;
        if (dimensions > 5)
        {
            uint above = index / n5;
            offset += (long)s5 * (index - (above * n5));
            index = above;
        }

        if (dimensions > 4)
        {
            uint above = index / n4;
            offset += (long)s4 * (index - (above * n4));
            index = above;
        }

        if (dimensions > 3)
        {
            uint above = index / n3;
            offset += (long)s3 * (index - (above * n3));
            index = above;
        }

        if (dimensions > 2)
        {
            uint above = index / n2;
            offset += (long)s2 * (index - (above * n2));
            index = above;
        }

        if (dimensions > 1)
        {
            uint above = index / n1;
            offset += (long)s1 * (index - (above * n1));
            index = above;
        }

        return offset + ((long)s0 * index);
    }
}
