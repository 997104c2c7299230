namespace LoRA2.Native.Cuda.Kernels.Elementwise;

/// <summary>
/// Dropout by Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11): element i is kept where word i of the stream
/// is at least the threshold. Four neighbours share a block of words, number i / 4, and so one call.
/// </summary>
internal readonly struct DropoutWords(ulong seed, ulong stream, uint threshold, float scale)
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;

    private readonly ulong seed = seed;
    private readonly ulong stream = stream;
    private readonly uint threshold = threshold;
    private readonly float scale = scale;

    /// <summary>Elements 4 · <paramref name="block"/> … + 3, each times the scale, or 0; as they are where the threshold is 0.</summary>
    public Float4 Of(Float4 x, uint block)
    {
        if (threshold == 0) return x;
        uint c0 = block, c1 = 0, c2 = (uint)stream, c3 = (uint)(stream >> 32);
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < 10; round++)
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

        return new Float4(Of(x.X, c0), Of(x.Y, c1), Of(x.Z, c2), Of(x.W, c3));
    }

    /// <summary>Element <paramref name="index"/> alone.</summary>
    public float One(float x, uint index)
    {
        uint lane = index & 3;
        Float4 all = Of(new Float4(x, x, x, x), index >> 2);
        return lane < 2 ? lane == 0 ? all.X : all.Y : lane == 2 ? all.Z : all.W;
    }

    private float Of(float x, uint word) => word >= threshold ? x * scale : 0;
}
