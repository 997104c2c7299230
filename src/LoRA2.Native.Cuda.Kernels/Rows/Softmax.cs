using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Rows;

/// <summary>
/// Softmax of each row over the elements whose mask (Int32) is not 0. Masked elements are 0, and so is all of a masked row with no kept element above −∞; without a
/// mask such a row is NaN, as in PyTorch. NaN in a kept element makes the row NaN. Kernels named Warp and Block as in <see cref="LayerNorm"/>.
/// </summary>
[KernelFamily]
internal static unsafe class Softmax
{
    /// <summary>y = softmax(x); <paramref name="masked"/> is 0 where there is no mask.</summary>
    public static void Warp(nint x, nint mask, uint masked, nint y, uint rows, uint vectors)
    {
        uint lane = (uint)Group.IdxX & 31;
        uint row = ((uint)Grid.IdxX * 4) + ((uint)Group.IdxX / 32);
        if (row >= rows) return;
        uint first = row * vectors;
        WarpRow values = WarpRow.Each(new Kept((Float4*)x + first, (Float4*)mask + first, masked), lane, vectors, float.NegativeInfinity);
        float largest = WarpReduction.Max(WarpRow.Max(values));
        float* to = (float*)y + (4 * first);
        if (!(largest > float.NegativeInfinity))
        {
            // Every element is −∞ or NaN.
            float sum = WarpReduction.Sum(WarpRow.Sum(values));
            WarpRow.Store(new Constant(Degenerate(sum, masked), (Float4*)to), values, lane, vectors);
            return;
        }

        values = WarpRow.Each(new Exponential(largest), values, lane, vectors, 0);
        float inverse = 1 / WarpReduction.Sum(WarpRow.Sum(values));
        WarpRow.Store(new Scaled(inverse, (Float4*)to), values, lane, vectors);
    }

    /// <summary>The same by a block a row.</summary>
    public static void Block(nint x, nint mask, uint masked, nint y, uint columns)
    {
        uint first = (uint)Grid.IdxX * columns;
        uint thread = (uint)Group.IdxX;
        float* from = (float*)x + first;
        int* keep = (int*)mask + first;
        float* to = (float*)y + first;
        float most = float.NegativeInfinity, all = 0;
        for (uint c = thread; c < columns; c += BlockReduction.Threads)
        {
            float v = Value(from, keep, masked, c);
            most = IntrinsicMath.Max(most, v);
            all += v;
        }

        float largest = BlockReduction.Max(most);
        all = BlockReduction.Sum(all);
        bool degenerate = !(largest > float.NegativeInfinity);
        float sum = 0;
        for (uint c = thread; c < columns; c += BlockReduction.Threads)
        {
            float e = degenerate ? Degenerate(all, masked) : Single.Exp(Value(from, keep, masked, c) - largest);
            to[c] = e;
            sum += e;
        }

        sum = BlockReduction.Sum(sum);
        float inverse = degenerate ? 1 : 1 / sum;
        for (uint c = thread; c < columns; c += BlockReduction.Threads) to[c] *= inverse;
    }

    /// <summary>dx = y (dy − Σ_c y dy).</summary>
    public static void BackwardWarp(nint y, nint dy, nint dx, uint rows, uint vectors)
    {
        uint lane = (uint)Group.IdxX & 31;
        uint row = ((uint)Grid.IdxX * 4) + ((uint)Group.IdxX / 32);
        if (row >= rows) return;
        uint first = row * vectors;
        WarpRow values = WarpRow.Each(new Loaded((Float4*)y + first), lane, vectors, 0);
        WarpRow upstream = WarpRow.Each(new Loaded((Float4*)dy + first), lane, vectors, 0);
        float dot = WarpReduction.Sum(WarpRow.Dot(values, upstream));
        WarpRow.Store(new Gradient(dot, (Float4*)dx + first), values, upstream, lane, vectors);
    }

    /// <summary>The same by a block a row.</summary>
    public static void BackwardBlock(nint y, nint dy, nint dx, uint columns)
    {
        uint first = (uint)Grid.IdxX * columns;
        float* values = (float*)y + first;
        float* upstream = (float*)dy + first;
        float dot = 0;
        for (uint c = (uint)Group.IdxX; c < columns; c += BlockReduction.Threads) dot = Single.MultiplyAdd(values[c], upstream[c], dot);
        dot = BlockReduction.Sum(dot);
        for (uint c = (uint)Group.IdxX; c < columns; c += BlockReduction.Threads) ((float*)dx)[first + c] = values[c] * (upstream[c] - dot);
    }

    private static float Value(float* x, int* mask, uint masked, uint column) => masked != 0 && mask[column] == 0 ? float.NegativeInfinity : x[column];

    private static float Degenerate(float sum, uint masked) => masked != 0 && sum == float.NegativeInfinity ? 0 : float.NaN;

    private readonly struct Kept(Float4* x, Float4* mask, uint masked) : IRowFour
    {
        private readonly Float4* x = x;
        private readonly Float4* mask = mask;
        private readonly uint masked = masked;

        public Float4 Of(uint index)
        {
            Float4 v = x[index];
            if (masked == 0) return v;
            Float4 keep = mask[index];
            return new Float4(Of(v.X, keep.X), Of(v.Y, keep.Y), Of(v.Z, keep.Z), Of(v.W, keep.W));
        }

        private static float Of(float x, float keep) => Interop.FloatAsInt(keep) == 0 ? float.NegativeInfinity : x;
    }

    private readonly struct Loaded(Float4* row) : IRowFour
    {
        private readonly Float4* row = row;

        public Float4 Of(uint index) => row[index];
    }

    private readonly struct Exponential(float largest) : IRowMap
    {
        private readonly float largest = largest;

        public Float4 Of(Float4 v, uint index) =>
            new(Single.Exp(v.X - largest), Single.Exp(v.Y - largest), Single.Exp(v.Z - largest), Single.Exp(v.W - largest));
    }

    private readonly struct Scaled(float by, Float4* y) : IRowStore
    {
        private readonly float by = by;
        private readonly Float4* y = y;

        public void Put(Float4 v, uint index) => y[index] = new Float4(v.X * by, v.Y * by, v.Z * by, v.W * by);
    }

    private readonly struct Constant(float value, Float4* y) : IRowStore
    {
        private readonly float value = value;
        private readonly Float4* y = y;

        public void Put(Float4 v, uint index) => y[index] = new Float4(value, value, value, value);
    }

    private readonly struct Gradient(float dot, Float4* dx) : IRowPairStore
    {
        private readonly float dot = dot;
        private readonly Float4* dx = dx;

        public void Put(Float4 y, Float4 dy, uint index) =>
            dx[index] = new Float4(y.X * (dy.X - dot), y.Y * (dy.Y - dot), y.Z * (dy.Z - dot), y.W * (dy.W - dot));
    }
}
