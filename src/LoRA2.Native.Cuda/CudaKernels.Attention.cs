using System.Runtime.CompilerServices;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda;

/// <content>Attention: with BFloat16 its products are of rounded operands, on the tensor cores; else in float32.</content>
internal sealed unsafe partial class CudaKernels
{
    /// <summary>Longest sequence whose probabilities are kept for the backward pass: reading them takes less time than computing them again, but they grow with the square of the length.</summary>
    private const int MostKeptLength = 256;

    /// <summary>Bytes of scores or of their gradient that the backward pass works at, at least one head's.</summary>
    private const long GroupBytes = 64 << 20;

    private const int TileSide = 64;

    /// <summary>Copies on the device of the arrays that say which position row each distance has; one a length, and so few.</summary>
    private readonly ConditionalWeakTable<int[], Tensor> positionRows = [];

    public override bool KeepsAttention(int length) => length <= MostKeptLength;

    public override void Attention(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? probabilities, Tensor? kept, Tensor y)
    {
        RequireFloat32("Attention", q, k, v, terms.PositionKey, terms.PositionQuery, probabilities, kept, y);
        if (terms.Mask is not null) RequireInt32("Attention", terms.Mask);
        if (y.Count == 0) return;
        AttentionForward(q, k, v, terms, 0, q.Shape[0] * terms.Heads, probabilities, AddressOf(kept), y);
    }

    public override void AttentionBackward(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? kept, Tensor dy, AttentionGradients gradients)
    {
        RequireFloat32(
            "AttentionBackward", q, k, v, terms.PositionKey, terms.PositionQuery, kept, dy, gradients.Query, gradients.Key, gradients.Value, gradients.PositionKey, gradients.PositionQuery);
        if (terms.Mask is not null) RequireInt32("AttentionBackward", terms.Mask);
        (int batch, int length, int width, int heads) = (q.Shape[0], q.Shape[1], q.Shape[2], terms.Heads);
        int size = width / heads, all = batch * heads, positions = (terms.PositionKey ?? terms.PositionQuery)?.Shape[0] ?? 0;
        if (q.Count == 0)
        {
            Clear(gradients.PositionKey);
            Clear(gradients.PositionQuery);
            return;
        }

        long bytes = (long)length * length * sizeof(float), partBytes = (long)all * ((2 * length) - 1) * size * sizeof(float);
        int group = (int)Math.Clamp(GroupBytes / bytes, 1, all);
        Storage dscores = device.Memory.Rent((nuint)(group * bytes));
        Storage? computed = kept is null ? device.Memory.Rent((nuint)(group * bytes)) : null;
        Storage? keyParts = gradients.PositionKey is null ? null : device.Memory.Rent((nuint)partBytes);
        Storage? queryParts = gradients.PositionQuery is null ? null : device.Memory.Rent((nuint)partBytes);
        int tiles = (length + TileSide - 1) / TileSide, distanceTiles = ((2 * length) - 1 + TileSide - 1) / TileSide, columnTiles = (size + TileSide - 1) / TileSide;
        nint rowOf = PositionRowsOf(terms), ds = (nint)dscores.Pointer;
        bool fours = IsAligned(dy) && InFours(q, k, v, terms);
        int math = (terms.Precision == Precision.BFloat16 ? 1 : 0) | (fours ? 2 : 0);
        float scale = (float)terms.Scale, keepScale = KeepScaleOf(terms.Dropout);
        for (int first = 0; first < all; first += group)
        {
            int count = Math.Min(group, all - first);
            nint p = computed is null ? (nint)kept!.Address + (nint)(first * bytes) : (nint)computed.Pointer;
            if (computed is not null) AttentionForward(q, k, v, terms, first, count, null, p, null);
            Launch("AttentionGradient.Scores", tiles * count, 256, p, dy, v, terms.Mask, terms.Mask is null ? 0 : 1, first, heads, length, width, math, scale, keepScale, ds);
            if (gradients.Query is not null)
            {
                Launch(
                    "AttentionGradient.Query", new Grid3(tiles * count, columnTiles), 256,
                    ds, k, terms.PositionKey, rowOf, terms.PositionKey is null ? 0 : 1, terms.Mask, terms.Mask is null ? 0 : 1, first, heads, length, width, math, gradients.Query);
            }

            if (gradients.Key is not null)
            {
                Launch(
                    "AttentionGradient.Key", new Grid3(tiles * count, columnTiles), 256,
                    ds, q, terms.PositionQuery, rowOf, terms.PositionQuery is null ? 0 : 1, first, heads, length, width, math, gradients.Key);
            }

            if (gradients.Value is not null) Launch("AttentionGradient.Value", new Grid3(tiles * count, columnTiles), 256, p, dy, first, heads, length, width, math, keepScale, gradients.Value);
            if (keyParts is not null) Launch("AttentionGradient.PositionKeys", new Grid3(distanceTiles * count, columnTiles), 256, ds, q, first, heads, length, width, math, (nint)keyParts.Pointer);
            if (queryParts is not null) Launch("AttentionGradient.PositionQueries", new Grid3(distanceTiles * count, columnTiles), 256, ds, k, first, heads, length, width, math, (nint)queryParts.Pointer);
        }

        AddPositions(keyParts, gradients.PositionKey);
        AddPositions(queryParts, gradients.PositionQuery);
        computed?.Release();
        dscores.Release();

        void AddPositions(Storage? parts, Tensor? table)
        {
            if (parts is null) return;
            Launch("AttentionGradient.AddPositions", ElementBlocks(positions * width, 0), 256, (nint)parts.Pointer, rowOf, length, batch, heads, width, positions, table);
            parts.Release();
        }
    }

    private static float KeepScaleOf(DropoutMask dropout) => (float)(1 / (1 - dropout.Probability));

    /// <summary>Whether rows of a head may be read by 16 bytes.</summary>
    private static bool InFours(Tensor q, Tensor k, Tensor v, in AttentionTerms terms) =>
        q.Shape[2] / terms.Heads % 4 == 0 && IsAligned(q) && IsAligned(k) && IsAligned(v) && IsAligned(terms.PositionKey) && IsAligned(terms.PositionQuery);

    private static void Clear(Tensor? tensor)
    {
        if (tensor is not null) tensor.Device.Clear(tensor.Address, tensor.Bytes);
    }

    /// <summary>The forward pass of some heads of the batch; <paramref name="kept"/> is for these, y for all.</summary>
    private void AttentionForward(Tensor q, Tensor k, Tensor v, in AttentionTerms terms, int first, int count, Tensor? probabilities, nint kept, Tensor? y)
    {
        (int length, int width) = (q.Shape[1], q.Shape[2]);
        int flags = (terms.PositionKey is null ? 0 : 1) | (terms.PositionQuery is null ? 0 : 2) | (terms.Mask is null ? 0 : 4) | (terms.Mask is null || !terms.MaskQueries ? 0 : 8)
            | (probabilities is null ? 0 : 16) | (kept == 0 ? 0 : 32) | (y is null ? 0 : 64) | (InFours(q, k, v, terms) ? 128 : 0);
        DropoutMask dropout = terms.Dropout;
        uint threshold = dropout.Probability > 0 ? (uint)Math.Min(Math.Ceiling(dropout.Probability * 4294967296.0), uint.MaxValue) : 0;
        int columnTiles = y is null ? 1 : ((width / terms.Heads) + TileSide - 1) / TileSide;
        Launch(
            terms.Precision == Precision.BFloat16 ? "Attention.ForwardRounded" : "Attention.Forward", new Grid3((length + TileSide - 1) / TileSide * count, columnTiles), 256, dropout, 14,
            q, k, v, terms.PositionKey, terms.PositionQuery, PositionRowsOf(terms), terms.Mask, flags, first, terms.Heads, length, width, (float)terms.Scale,
            dropout.Random.Seed, dropout.Random.Stream, threshold, KeepScaleOf(dropout), probabilities, kept, y);
    }

    private nint PositionRowsOf(in AttentionTerms terms)
    {
        if (terms.PositionOf is null) return 0;
        if (!positionRows.TryGetValue(terms.PositionOf, out Tensor? rows))
        {
            int[] values = terms.PositionOf;
            device.Apart(() => positionRows.Add(values, Tensor.From(values, [values.Length]).To(device).Leave()));
            rows = positionRows.GetValue(values, _ => throw new InvalidOperationException());
        }

        return (nint)rows.Address;
    }
}
