namespace LoRA2.Native.Adapters;

/// <summary>
/// MT19937 (Matsumoto and Nishimura, 1998) as PyTorch's CPU generator seeds and uses it. Only for values that a file names by PyTorch's seed: everything of our own is
/// drawn by Philox.
/// </summary>
internal sealed class MersenneTwister
{
    private const int Length = 624;
    private const int Middle = 397;

    private readonly uint[] state = new uint[Length];
    private int next = Length;

    /// <summary>As <c>torch.Generator().manual_seed(seed)</c>: of the seed the lower 32 bits count.</summary>
    public MersenneTwister(ulong seed)
    {
        state[0] = (uint)seed;
        for (int i = 1; i < Length; i++) state[i] = (1812433253 * (state[i - 1] ^ (state[i - 1] >> 30))) + (uint)i;
    }

    /// <summary>The next 32 bits.</summary>
    public uint Next()
    {
        if (next == Length) Renew();
        uint word = state[next++];
        word ^= word >> 11;
        word ^= (word << 7) & 0x9D2C5680;
        word ^= (word << 15) & 0xEFC60000;
        return word ^ (word >> 18);
    }

    /// <summary>As <c>tensor.uniform_(least, most)</c> of float32: 24 bits of each word, scaled and moved with one rounding.</summary>
    public void FillUniform(Span<float> values, float least, float most)
    {
        float width = most - least;
        foreach (ref float value in values) value = MathF.FusedMultiplyAdd((Next() & 0xFFFFFF) * (1f / 0x1000000), width, least);
    }

    private void Renew()
    {
        for (int i = 0; i < Length; i++)
        {
            uint mixed = (state[i] & 0x80000000) | (state[(i + 1) % Length] & 0x7FFFFFFF);
            state[i] = state[(i + Middle) % Length] ^ (mixed >> 1) ^ ((mixed & 1) == 0 ? 0 : 0x9908B0DF);
        }

        next = 0;
    }
}
