using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Rows;

/// <summary>Task losses and their gradients for a loss gradient of 1. Terms are added up in double, in a fixed order.</summary>
[KernelFamily]
internal static unsafe class Losses
{
    /// <summary>
    /// Each row's term of the cross-entropy, 0 where the label is no class; the gradient of the mean over the rows that count; and, from block 0, their number. A warp
    /// a row; every block counts the labels itself.
    /// </summary>
    public static void CrossEntropyRows(nint logits, nint labels, nint terms, nint counted, nint dlogits, uint rows, uint classes)
    {
        uint thread = (uint)Group.IdxX;
        uint lane = thread & 31;
        uint own = 0;
        for (uint r = thread; r < rows; r += BlockReduction.Threads) own += ((uint*)labels)[r] < classes ? 1u : 0u;
        uint count = BlockReduction.Sum(own);
        if (Grid.IdxX == 0 && thread == 0) *(uint*)counted = count;
        float scale = 1f / (count == 0 ? 1 : count);
        for (uint row = ((uint)Grid.IdxX * 4) + (thread / 32); row < rows; row += (uint)Grid.DimX * 4)
        {
            uint label = ((uint*)labels)[row];
            float* from = (float*)logits + (row * classes);
            float* to = (float*)dlogits + (row * classes);
            if (label >= classes)
            {
                for (uint c = lane; c < classes; c += 32) to[c] = 0;
                if (lane == 0) ((double*)terms)[row] = 0;
                continue;
            }

            float most = float.NegativeInfinity;
            for (uint c = lane; c < classes; c += 32) most = IntrinsicMath.Max(most, from[c]);
            most = WarpReduction.Max(most);
            float sum = 0;
            for (uint c = lane; c < classes; c += 32) sum += Single.Exp(from[c] - most);
            sum = WarpReduction.Sum(sum);
            float factor = scale / sum;
            for (uint c = lane; c < classes; c += 32) to[c] = (Single.Exp(from[c] - most) * factor) - (c == label ? scale : 0);
            if (lane == 0) ((double*)terms)[row] = Log(sum) + ((double)most - from[label]);
        }
    }

    /// <summary>loss = Σ terms / counted, 0 when none counts; one block.</summary>
    public static void CrossEntropyMean(nint terms, nint counted, nint loss, uint rows)
    {
        double sum = 0;
        for (uint r = (uint)Group.IdxX; r < rows; r += BlockReduction.Threads) sum += ((double*)terms)[r];
        sum = BlockReduction.Sum(sum);
        uint count = *(uint*)counted;
        if (Group.IdxX == 0) *(float*)loss = (float)(sum / (count == 0 ? 1 : count));
    }

    /// <summary>gradient = scale (x − target), and partials[b] = Σ (x − target)² of block b's share.</summary>
    public static void SquaredError(nint x, nint target, float scale, nint gradient, nint partials, uint count)
    {
        double sum = 0;
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            float gap = ((float*)x)[i] - ((float*)target)[i];
            double exact = (double)((float*)x)[i] - ((float*)target)[i];
            ((float*)gradient)[i] = scale * gap;
            sum += exact * exact;
        }

        sum = BlockReduction.Sum(sum);
        if (Group.IdxX == 0) ((double*)partials)[Grid.IdxX] = sum;
    }

    /// <summary>gradient = scale (σ(x) − target), and partials[b] = Σ of the binary cross-entropy's terms of block b's share.</summary>
    public static void BinaryCrossEntropy(nint x, nint target, float scale, nint gradient, nint partials, uint count)
    {
        double sum = 0;
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            float logit = ((float*)x)[i];
            float truth = ((float*)target)[i];
            float e = Single.Exp(logit >= 0 ? -logit : logit);
            double sigmoid = (logit >= 0 ? 1f : e) / (1.0 + e);
            ((float*)gradient)[i] = (float)(scale * (sigmoid - truth));
            // ln(1 + e) of a small e: what 1 + e loses is put right by the ratio of the two (Kahan).
            float one = 1f + e;
            double grown = one == 1f ? e : Log(one) * (e / ((double)one - 1));
            sum += (double)IntrinsicMath.Max(logit, 0f) - ((double)logit * truth) + grown;
        }

        sum = BlockReduction.Sum(sum);
        if (Group.IdxX == 0) ((double*)partials)[Grid.IdxX] = sum;
    }

    /// <summary>ln x for x ≥ 1, in double: x = 2ⁿ m with √½ ≤ m ≤ √2, and 2 artanh((m − 1)/(m + 1)) by its series.</summary>
    private static double Log(float x)
    {
        if (Single.IsNotFinite(x)) return x;
        uint bits = Interop.FloatAsInt(x);
        int n = (int)(bits >> 23) - 127;
        double m = Interop.IntAsFloat((bits & 0x7FFFFF) | 0x3F800000);
        bool high = m > 1.4142135623730951;
        m = high ? m * 0.5 : m;
        n = high ? n + 1 : n;
        double t = (m - 1) / (m + 1);
        double z = t * t;
        double p = (1.0 / 15) + (z / 17);
        p = (1.0 / 13) + (z * p);
        p = (1.0 / 11) + (z * p);
        p = (1.0 / 9) + (z * p);
        p = (1.0 / 7) + (z * p);
        p = (1.0 / 5) + (z * p);
        p = (1.0 / 3) + (z * p);
        return (n * 0.69314718055994531) + (2 * t * (1 + (z * p)));
    }
}
