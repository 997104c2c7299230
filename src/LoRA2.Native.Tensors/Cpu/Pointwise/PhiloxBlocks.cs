using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>
/// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11): a counter of four 32-bit words and
/// a key of two give four random words. The counter's words here are a 64-bit block number and a 64-bit stream, low halves first; the
/// key is the seed. The vector forms give the same words: they keep each 32-bit word in a 64-bit lane, whose upper half is rubbish that
/// the widening product ignores.
/// </summary>
internal static unsafe class PhiloxBlocks
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>Writes the words of blocks <paramref name="first"/> … <paramref name="first"/> + <paramref name="blocks"/> − 1, four each.</summary>
    public static void Fill(ulong seed, ulong stream, ulong first, nint blocks, uint* words)
    {
        nint i = 0;
        SimdPath path = SimdPaths.Current;
        if (Avx512F.IsSupported && path == SimdPath.Vector512)
        {
            ulong* keys = stackalloc ulong[2 * Rounds];
            Keys(seed, keys);
            for (; i <= blocks - 16; i += 16) Sixteen(keys, stream, first + (ulong)i, words + (4 * i));
            for (; i <= blocks - 8; i += 8) Eight(keys, stream, first + (ulong)i, words + (4 * i));
        }
        else if (Avx2.IsSupported && path >= SimdPath.Vector256)
        {
            for (; i <= blocks - 4; i += 4) Four(seed, stream, first + (ulong)i, words + (4 * i));
        }

        for (; i < blocks; i++) One(seed, stream, first + (ulong)i, words + (4 * i));
    }

    /// <summary>The plain form: one block.</summary>
    public static void One(ulong seed, ulong stream, ulong block, uint* words)
    {
        uint c0 = (uint)block, c1 = (uint)(block >> 32), c2 = (uint)stream, c3 = (uint)(stream >> 32);
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong p0 = (ulong)Multiplier0 * c0;
            ulong p1 = (ulong)Multiplier1 * c2;
            c0 = (uint)(p1 >> 32) ^ c1 ^ k0;
            c1 = (uint)p1;
            c2 = (uint)(p0 >> 32) ^ c3 ^ k1;
            c3 = (uint)p0;
            k0 += Weyl0;
            k1 += Weyl1;
        }

        words[0] = c0;
        words[1] = c1;
        words[2] = c2;
        words[3] = c3;
    }

    /// <summary>The two key words of every round, in 64-bit lanes.</summary>
    private static void Keys(ulong seed, ulong* keys)
    {
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            keys[2 * round] = k0;
            keys[(2 * round) + 1] = k1;
            k0 += Weyl0;
            k1 += Weyl1;
        }
    }

    /// <summary>Two independent registers of counters, so that one's multiplications fill the other's latencies.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sixteen(ulong* keys, ulong stream, ulong block, uint* words)
    {
        Vector512<ulong> a0 = Vector512.Create(block) + Vector512<ulong>.Indices, b0 = a0 + Vector512.Create(8UL);
        Vector512<ulong> a1 = a0 >>> 32, b1 = b0 >>> 32;
        Vector512<ulong> a2 = Vector512.Create(stream), b2 = a2;
        Vector512<ulong> a3 = a2 >>> 32, b3 = a3;
        for (int round = 0; round < Rounds; round++)
        {
            Round(keys + (2 * round), ref a0, ref a1, ref a2, ref a3);
            Round(keys + (2 * round), ref b0, ref b1, ref b2, ref b3);
        }

        Store(a0, a1, a2, a3, words);
        Store(b0, b1, b2, b3, words + 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Eight(ulong* keys, ulong stream, ulong block, uint* words)
    {
        Vector512<ulong> c0 = Vector512.Create(block) + Vector512<ulong>.Indices;
        Vector512<ulong> c1 = c0 >>> 32;
        Vector512<ulong> c2 = Vector512.Create(stream);
        Vector512<ulong> c3 = c2 >>> 32;
        for (int round = 0; round < Rounds; round++) Round(keys + (2 * round), ref c0, ref c1, ref c2, ref c3);
        Store(c0, c1, c2, c3, words);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ulong* keys, ref Vector512<ulong> c0, ref Vector512<ulong> c1, ref Vector512<ulong> c2, ref Vector512<ulong> c3)
    {
        Vector512<ulong> p0 = Avx512F.Multiply(Vector512.Create((ulong)Multiplier0).AsUInt32(), c0.AsUInt32());
        Vector512<ulong> p1 = Avx512F.Multiply(Vector512.Create((ulong)Multiplier1).AsUInt32(), c2.AsUInt32());
        c0 = (p1 >>> 32) ^ c1 ^ Vector512.Create(keys[0]);
        c1 = p1;
        c2 = (p0 >>> 32) ^ c3 ^ Vector512.Create(keys[1]);
        c3 = p0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<ulong> c0, Vector512<ulong> c1, Vector512<ulong> c2, Vector512<ulong> c3, uint* words)
    {
        Vector512<ulong> low = Vector512.Create((ulong)uint.MaxValue);
        Vector512<ulong> front = Vector512.ConditionalSelect(low, c0, c1 << 32);
        Vector512<ulong> back = Vector512.ConditionalSelect(low, c2, c3 << 32);
        Vector512<ulong> first = Avx512F.PermuteVar8x64x2(front, Vector512.Create(0UL, 8, 1, 9, 2, 10, 3, 11), back);
        Vector512<ulong> second = Avx512F.PermuteVar8x64x2(front, Vector512.Create(4UL, 12, 5, 13, 6, 14, 7, 15), back);
        Vector512.Store(first.AsUInt32(), words);
        Vector512.Store(second.AsUInt32(), words + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(ulong seed, ulong stream, ulong block, uint* words)
    {
        Vector256<ulong> c0 = Vector256.Create(block) + Vector256<ulong>.Indices;
        Vector256<ulong> c1 = c0 >>> 32;
        Vector256<ulong> c2 = Vector256.Create(stream);
        Vector256<ulong> c3 = c2 >>> 32;
        Vector256<uint> m0 = Vector256.Create((ulong)Multiplier0).AsUInt32();
        Vector256<uint> m1 = Vector256.Create((ulong)Multiplier1).AsUInt32();
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            Vector256<ulong> p0 = Avx2.Multiply(m0, c0.AsUInt32());
            Vector256<ulong> p1 = Avx2.Multiply(m1, c2.AsUInt32());
            c0 = (p1 >>> 32) ^ c1 ^ Vector256.Create((ulong)k0);
            c1 = p1;
            c2 = (p0 >>> 32) ^ c3 ^ Vector256.Create((ulong)k1);
            c3 = p0;
            k0 += Weyl0;
            k1 += Weyl1;
        }

        Vector256<ulong> low = Vector256.Create((ulong)uint.MaxValue);
        Vector256<ulong> front = Vector256.ConditionalSelect(low, c0, c1 << 32);
        Vector256<ulong> back = Vector256.ConditionalSelect(low, c2, c3 << 32);
        Vector256<ulong> even = Avx2.UnpackLow(front, back);
        Vector256<ulong> odd = Avx2.UnpackHigh(front, back);
        Vector256.Store(Avx2.Permute2x128(even, odd, 0x20).AsUInt32(), words);
        Vector256.Store(Avx2.Permute2x128(even, odd, 0x31).AsUInt32(), words + 8);
    }
}
