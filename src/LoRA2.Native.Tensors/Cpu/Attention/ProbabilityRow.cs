using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>
/// Dropout of one row of probabilities. A row is coded when its sign bits say which elements were dropped: a probability has no use for them, and
/// so the backward pass needs neither a mask nor the random words again.
/// </summary>
internal static unsafe class ProbabilityRow
{
    private const int Chunk = 1024;

    /// <summary>Writes the coded row and the row after dropout; either may be null or <paramref name="p"/> itself, but not both p.</summary>
    /// <param name="p">Probabilities.</param>
    /// <param name="count">Their number.</param>
    /// <param name="probability">Chance of an element to be dropped.</param>
    /// <param name="random">The dropout's words.</param>
    /// <param name="start">Index of the row's first element.</param>
    /// <param name="coded">Where the coded row goes.</param>
    /// <param name="used">Where the row after dropout goes.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Drop<TSimd, T>(T* p, int count, double probability, Philox random, ulong start, T* coded, T* used)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        // A block before the first element and a register past the last one may be read.
        uint* words = stackalloc uint[Chunk + 24];
        uint threshold = DropoutMask.ThresholdOf(probability);
        TSimd scale = TSimd.Create(VectorMath.Scalar<T>(1 / (1 - probability)));
        for (int done = 0; done < count; done += Chunk)
        {
            int length = Math.Min(Chunk, count - done);
            ulong at = start + (ulong)done;
            int skip = (int)(at & 3);
            random.Fill(at >> 2, (skip + length + 3) >> 2, words);
            for (int i = 0; i < length; i += TSimd.Count)
            {
                T* from = p + done + i;
                bool whole = length - i >= TSimd.Count;
                TSimd value = whole ? TSimd.Load(from) : TSimd.LoadPartial(from, length - i, default);
                TSimd keep = TSimd.LoadAtLeast(words + skip + i, threshold);
                if (coded != null) Store(TSimd.Select(keep, value, default(TSimd) - value), coded + done + i, whole ? TSimd.Count : length - i);
                if (used != null) Store(keep & (value * scale), used + done + i, whole ? TSimd.Count : length - i);
            }
        }
    }

    /// <summary>
    /// From a coded row and the gradient of the row after dropout, makes the row after dropout again (<paramref name="used"/>, which may be
    /// <paramref name="coded"/>) and the gradient of the scores before scaling, in place of <paramref name="gradient"/>.
    /// </summary>
    /// <param name="coded">The coded row.</param>
    /// <param name="gradient">Σ_c dy_c v_c on entry: not yet masked by dropout.</param>
    /// <param name="count">Elements of the row.</param>
    /// <param name="keepScale">1 / (1 − the chance of an element to be dropped).</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <param name="used">The row after dropout.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward<TSimd, T>(T* coded, T* gradient, int count, T keepScale, T scale, T* used)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd keep = TSimd.Create(keepScale), sum = default;
        int full = count - (count % TSimd.Count), rest = count - full;
        for (int i = 0; i < full; i += TSimd.Count)
            sum = TSimd.MultiplyAdd(Used<TSimd, T>(TSimd.Load(coded + i), keep), TSimd.Load(gradient + i), sum);
        TSimd last = default, lastGradient = default;
        if (rest > 0)
        {
            last = TSimd.LoadPartial(coded + full, rest, default);
            lastGradient = TSimd.LoadPartial(gradient + full, rest, default);
            sum = TSimd.MultiplyAdd(Used<TSimd, T>(last, keep), lastGradient, sum);
        }

        TSimd dot = TSimd.Create(TSimd.Sum(sum)), factor = TSimd.Create(scale);
        for (int i = 0; i < full; i += TSimd.Count)
        {
            TSimd p = TSimd.Load(coded + i), u = Used<TSimd, T>(p, keep);
            TSimd.Store(((u * TSimd.Load(gradient + i)) - (TSimd.Abs(p) * dot)) * factor, gradient + i);
            TSimd.Store(u, used + i);
        }

        if (rest == 0) return;
        TSimd lastUsed = Used<TSimd, T>(last, keep);
        TSimd.StorePartial(((lastUsed * lastGradient) - (TSimd.Abs(last) * dot)) * factor, gradient + full, rest);
        TSimd.StorePartial(lastUsed, used + full, rest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Used<TSimd, T>(TSimd coded, TSimd keepScale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T> => TSimd.Select(TSimd.LessThan(coded, default), default, coded * keepScale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd, T>(TSimd value, T* to, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        if (count == TSimd.Count) TSimd.Store(value, to);
        else TSimd.StorePartial(value, to, count);
    }
}
