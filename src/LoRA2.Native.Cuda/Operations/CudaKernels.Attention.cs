using System.Runtime.CompilerServices;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Cuda.Operations;

/// <content>Attention: with BFloat16 its products are of rounded operands, on the tensor cores, where a head's columns are a multiple of 4; else in float32.</content>
internal sealed unsafe partial class CudaKernels
{
    private const int TileSide = 64;

    /// <summary>Copies on the device of the arrays that say which position row each distance has; one a length, and so few.</summary>
    private readonly ConditionalWeakTable<int[], Tensor> positionRows = [];

    /// <summary>Bytes of the position tables' gradients by tile that the backward pass works at, at least one head's.</summary>
    internal long AttentionGroupBytes { get; set; } = 64 << 20;

    /// <summary>Keeps the largest score of each query, and 1 / the sum of its probabilities' numerators; then, for the tensor cores, q, k and v in bfloat16.</summary>
    public override AttentionMemory KeptOfAttention(Tensor q, AttentionTerms terms)
    {
        RequirePadding(terms);
        int rows = q.Shape[0] * terms.Heads * q.Shape[1];
        bool rounds = Rounds(q, terms);
        return new([(2 * rows) + (rounds ? checked(3 * (q.Count / 2)) : 0)], Result: true, Inputs: !rounds);
    }

    public override void Attention(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? probabilities, Tensor? kept, Tensor y)
    {
        RequirePadding(terms);
        RequireFloat32("Attention", q, k, v, terms.PositionKey, terms.PositionQuery, probabilities, kept, y);
        if (terms.Mask is not null) RequireInt32("Attention", terms.Mask);
        if (y.Count == 0) return;
        (int batch, int length, int width, int heads) = (q.Shape[0], q.Shape[1], q.Shape[2], terms.Heads);
        DropoutMask dropout = terms.Dropout;
        // The kernels number the mask's elements in 32 bits.
        if (dropout.Probability > 0 && (ulong)batch * (ulong)heads * (ulong)length * (ulong)length > uint.MaxValue)
            throw new NotSupportedException($"Attention: dropout of {batch} sequences of {heads} heads and length {length} has 2^32 elements or more; on {device.Name} it has to be fewer");
        (ulong seed, MaskStream stream, uint threshold, float keepScale) = WordsOf(dropout);
        int rows = batch * heads * length;
        bool rounds = Rounds(q, terms);
        int flags = FlagsOf(terms, InFours(width / heads, y)) | (probabilities is null ? 0 : 32) | (kept is null ? 0 : 64);
        Storage? temporary = rounds && kept is null ? device.Memory.Rent((nuint)(6L * q.Count)) : null;
        HeadInputs inputs = !rounds ? new(q, k, v) : kept is null ? new(temporary, q.Count) : RoundedOf(kept, rows, q.Count);
        if (rounds)
        {
            bool vectors = IsAligned(q) && IsAligned(k) && IsAligned(v);
            launch.Attention.Round(new Grid3(ElementBlocks(q.Count / 4, 0).X, 3), 256, q, k, v, vectors ? 1 : 0, q.Count, inputs.Query);
        }

        var forward = rounds ? launch.Attention.ForwardRounded : launch.Attention.Forward;
        forward(
            TilesOf(batch * heads, length, width / heads), 256,
            inputs.Query, inputs.Key, inputs.Value, terms.PositionKey, terms.PositionQuery, PositionRowsOf(terms), terms.Mask, flags, heads, length, width, (float)terms.Scale,
            seed, stream, threshold, keepScale, probabilities, kept, InverseOf(kept, rows), y);
        temporary?.Release();
    }

    private void RequirePadding(in AttentionTerms terms)
    {
        if (terms.Starts is not null) throw new NotSupportedException($"Attention: sequences without padding (Starts) are computed on the CPU alone; {device.Name} takes a mask");
    }

    public override void AttentionBackward(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? kept, Tensor? y, Tensor dy, AttentionGradients gradients)
    {
        if (kept is null || y is null) throw new ArgumentException($"AttentionBackward: on {device.Name} it needs what Attention kept, and its result");
        RequireFloat32(
            "AttentionBackward", q, k, v, terms.PositionKey, terms.PositionQuery, kept, y, dy, gradients.Query, gradients.Key, gradients.Value, gradients.PositionKey, gradients.PositionQuery);
        if (terms.Mask is not null) RequireInt32("AttentionBackward", terms.Mask);
        (int batch, int length, int width, int heads) = (q.Shape[0], q.Shape[1], q.Shape[2], terms.Heads);
        if (q.Count == 0)
        {
            Clear(gradients.PositionKey);
            Clear(gradients.PositionQuery);
            return;
        }

        int size = width / heads, all = batch * heads, tiles = Blocks(length, TileSide);
        long headBytes = (long)tiles * (tiles + 1) * TileSide * size * sizeof(float);
        long groups = Math.Clamp(((headBytes * all * ((gradients.PositionKey is null ? 0 : 1) + (gradients.PositionQuery is null ? 0 : 1))) + AttentionGroupBytes - 1) / AttentionGroupBytes, 1, all);
        int group = (int)((all + groups - 1) / groups);
        Storage dots = device.Memory.Rent((nuint)all * (nuint)length * sizeof(float));
        Storage? keyParts = gradients.PositionKey is null ? null : device.Memory.Rent((nuint)(group * headBytes));
        Storage? queryParts = gradients.PositionQuery is null ? null : device.Memory.Rent((nuint)(group * headBytes));
        bool rounds = Rounds(q, terms);
        Storage? roundedGradient = rounds ? device.Memory.Rent((nuint)(2L * q.Count)) : null;
        HeadInputs inputs = rounds ? RoundedOf(kept, all * length, q.Count) : new(q, k, v);
        Address gradient = rounds ? roundedGradient : dy;
        bool queries = (gradients.Query ?? gradients.PositionKey) is not null, keys = (gradients.Key ?? gradients.Value ?? gradients.PositionQuery) is not null;
        int flags = FlagsOf(terms, InFours(size, gradients.Query, gradients.Key, gradients.Value));
        DropoutMask dropout = terms.Dropout;
        (ulong seed, MaskStream stream, uint threshold, float keepScale) = WordsOf(dropout);
        float scale = (float)terms.Scale;
        Address rowOf = PositionRowsOf(terms);
        var query = rounds ? launch.AttentionGradient.QueryRounded : launch.AttentionGradient.Query;
        var key = rounds ? launch.AttentionGradient.KeyRounded : launch.AttentionGradient.Key;
        launch.AttentionGradient.Dots(Math.Min(Blocks(all * length, 8), MostBlocks), 256, dy, y, all * length, heads, length, width, dots, roundedGradient);
        for (int first = 0; first < all; first += group)
        {
            int count = Math.Min(group, all - first);
            Grid3 grid = TilesOf(count, length, size);
            if (queries)
            {
                query(
                    grid, 256,
                    inputs.Query, inputs.Key, inputs.Value, gradient, terms.PositionKey, terms.PositionQuery, rowOf, terms.Mask, flags, first, heads, length, width, scale,
                    seed, stream, threshold, keepScale, kept, InverseOf(kept, all * length), dots, gradients.Query, keyParts);
            }

            if (keys)
            {
                key(
                    grid, 256,
                    inputs.Query, inputs.Key, inputs.Value, gradient, terms.PositionKey, terms.PositionQuery, rowOf, terms.Mask, flags, first, heads, length, width, scale,
                    seed, stream, threshold, keepScale, kept, InverseOf(kept, all * length), dots, gradients.Key, gradients.Value, queryParts);
            }

            AddPositions(keyParts, 1, first, count, gradients.PositionKey);
            AddPositions(queryParts, 0, first, count, gradients.PositionQuery);
        }

        dots.Release();
        roundedGradient?.Release();
        keyParts?.Release();
        queryParts?.Release();

        void AddPositions(Storage? parts, int byQuery, int first, int count, Tensor? table)
        {
            if (parts is not null && table!.Count > 0)
                launch.AttentionGradient.AddPositions(ElementBlocks(table.Count, 0), 256, parts, rowOf, byQuery, length, first, count, heads, width, table.Shape[0], first == 0 ? 0 : 1, table);
        }
    }

    /// <summary>Whether products are on the tensor cores.</summary>
    private static bool Rounds(Tensor q, in AttentionTerms terms) =>
        terms.Precision == Precision.BFloat16 && q.Shape[2] / terms.Heads % 4 == 0 && IsAligned(terms.PositionKey) && IsAligned(terms.PositionQuery);

    /// <summary>The second values of all rows among what attention keeps.</summary>
    private static Address InverseOf(Tensor? kept, int rows) => kept is null ? default : (Address)kept + (sizeof(float) * (long)rows);

    private static HeadInputs RoundedOf(Tensor kept, int rows, int count) => new((Address)kept + (2 * sizeof(float) * (long)rows), count);

    /// <summary>Tiles of tokens × heads × 64 columns of a head.</summary>
    private static Grid3 TilesOf(int heads, int length, int size) => new(Blocks(length, TileSide) * heads, Blocks(size, TileSide));

    private static int FlagsOf(in AttentionTerms terms, bool fours) =>
        (terms.PositionKey is null ? 0 : 1) | (terms.PositionQuery is null ? 0 : 2) | (terms.Mask is null ? 0 : 4) | (terms.Mask is null || !terms.MaskQueries ? 0 : 8) | (fours ? 16 : 0);

    /// <summary>Whether rows of a head may be written by 16 bytes.</summary>
    private static bool InFours(int size, params ReadOnlySpan<Tensor?> tensors)
    {
        foreach (Tensor? tensor in tensors)
        {
            if (!IsAligned(tensor)) return false;
        }

        return size % 4 == 0;
    }

    private static void Clear(Tensor? tensor)
    {
        if (tensor is not null) tensor.Device.Clear(tensor.Address, tensor.Bytes);
    }

    private Address PositionRowsOf(in AttentionTerms terms)
    {
        if (terms.PositionOf is null) return default;
        if (!positionRows.TryGetValue(terms.PositionOf, out Tensor? rows))
        {
            int[] values = terms.PositionOf;
            device.Apart(() => positionRows.Add(values, Tensor.From(values, [values.Length]).To(device).Leave()));
            rows = positionRows.GetValue(values, _ => throw new InvalidOperationException());
        }

        return rows;
    }

    /// <summary>Where q, k and v are read.</summary>
    private readonly record struct HeadInputs(Address Query, Address Key, Address Value)
    {
        /// <summary>So many elements each in bfloat16, one after the other.</summary>
        public HeadInputs(Address rounded, int count)
            : this(rounded, rounded + (2L * count), rounded + (4L * count))
        {
        }
    }
}
