using ILGPU;
using LoRA2.Native.Cuda.Kernels.Elementwise;

namespace LoRA2.Native.Cuda.Kernels.Rows;

/// <summary>
/// Layer normalisation of each row: x̂ = (x − mean) rstd, y = gain x̂ + bias. Kernels named Warp keep a row in a warp's registers, four rows a block:
/// up to <see cref="WarpRow.Most"/> columns, a multiple of 4, and addresses that are multiples of 16. Those named Block take a block a row, of any number of columns.
/// </summary>
[KernelFamily]
internal static unsafe class LayerNorm
{
    /// <summary>y, and each row's mean and rstd.</summary>
    public static void Warp(nint x, nint gain, nint bias, float epsilon, nint y, nint mean, nint rstd, uint rows, uint vectors)
    {
        uint lane = (uint)Group.IdxX & 31;
        uint row = ((uint)Grid.IdxX * 4) + ((uint)Group.IdxX / 32);
        if (row >= rows) return;
        WarpRow values = WarpRow.Each(new Loaded((Float4*)x + (row * vectors)), lane, vectors, 0);
        NormaliseWarp(values, gain, bias, epsilon, y, mean, rstd, row, lane, vectors);
    }

    /// <summary>The same of sum = residual + dropout(x), which is written too.</summary>
    public static void AddWarp(
        nint x, ulong seed, [DropoutStream] ulong stream, uint threshold, float scale, nint residual, nint gain, nint bias, float epsilon, nint sum, nint y, nint mean, nint rstd, uint rows, uint vectors)
    {
        uint lane = (uint)Group.IdxX & 31;
        uint row = ((uint)Grid.IdxX * 4) + ((uint)Group.IdxX / 32);
        if (row >= rows) return;
        var dropout = new DropoutWords(seed, stream, threshold, scale);
        WarpRow values = WarpRow.Each(new Dropped((Float4*)x, (Float4*)residual, (Float4*)sum, row * vectors, dropout), lane, vectors, 0);
        NormaliseWarp(values, gain, bias, epsilon, y, mean, rstd, row, lane, vectors);
    }

    /// <summary><see cref="Warp"/> by a block a row.</summary>
    public static void Block(nint x, nint gain, nint bias, float epsilon, nint y, nint mean, nint rstd, uint columns)
    {
        uint row = (uint)Grid.IdxX;
        NormaliseBlock((float*)x + (row * columns), gain, bias, epsilon, y, mean, rstd, row, columns);
    }

    /// <summary><see cref="AddWarp"/> by a block a row.</summary>
    public static void AddBlock(
        nint x, ulong seed, [DropoutStream] ulong stream, uint threshold, float scale, nint residual, nint gain, nint bias, float epsilon, nint sum, nint y, nint mean, nint rstd, uint columns)
    {
        uint row = (uint)Grid.IdxX;
        uint first = row * columns;
        var dropout = new DropoutWords(seed, stream, threshold, scale);
        for (uint c = (uint)Group.IdxX; c < columns; c += BlockReduction.Threads)
        {
            uint at = first + c;
            ((float*)sum)[at] = ((float*)residual)[at] + dropout.One(((float*)x)[at], at);
        }

        // Each thread reads what it wrote itself.
        NormaliseBlock((float*)sum + first, gain, bias, epsilon, y, mean, rstd, row, columns);
    }

    private static void NormaliseWarp(WarpRow values, nint gain, nint bias, float epsilon, nint y, nint mean, nint rstd, uint row, uint lane, uint vectors)
    {
        float columns = 4 * vectors;
        float m = WarpReduction.Sum(WarpRow.Sum(values)) / columns;
        WarpRow deviations = WarpRow.Each(new Deviation(m), values, lane, vectors, 0);
        float inverse = 1 / MathF.Sqrt((WarpReduction.Sum(WarpRow.Dot(deviations, deviations)) / columns) + epsilon);
        if (lane == 0)
        {
            ((float*)mean)[row] = m;
            ((float*)rstd)[row] = inverse;
        }

        WarpRow.Store(new Affine(inverse, (Float4*)gain, (Float4*)bias, (Float4*)y + (row * vectors)), deviations, lane, vectors);
    }

    private static void NormaliseBlock(float* values, nint gain, nint bias, float epsilon, nint y, nint mean, nint rstd, uint row, uint columns)
    {
        uint thread = (uint)Group.IdxX;
        float sum = 0;
        for (uint c = thread; c < columns; c += BlockReduction.Threads) sum += values[c];
        float m = BlockReduction.Sum(sum) / columns;
        float squares = 0;
        for (uint c = thread; c < columns; c += BlockReduction.Threads) squares = Single.MultiplyAdd(values[c] - m, values[c] - m, squares);
        float inverse = 1 / MathF.Sqrt((BlockReduction.Sum(squares) / columns) + epsilon);
        if (thread == 0)
        {
            ((float*)mean)[row] = m;
            ((float*)rstd)[row] = inverse;
        }

        float* to = (float*)y + (row * columns);
        for (uint c = thread; c < columns; c += BlockReduction.Threads)
            to[c] = Single.MultiplyAdd((values[c] - m) * inverse, ((float*)gain)[c], ((float*)bias)[c]);
    }

    private readonly struct Loaded(Float4* row) : IRowFour
    {
        private readonly Float4* row = row;

        public Float4 Of(uint index) => row[index];
    }

    private readonly struct Dropped(Float4* x, Float4* residual, Float4* sum, uint first, DropoutWords words) : IRowFour
    {
        private readonly Float4* x = x;
        private readonly Float4* residual = residual;
        private readonly Float4* sum = sum;
        private readonly uint first = first;
        private readonly DropoutWords words = words;

        public Float4 Of(uint index)
        {
            uint at = first + index;
            Float4 r = residual[at];
            Float4 v = words.Of(x[at], at);
            v = new Float4(r.X + v.X, r.Y + v.Y, r.Z + v.Z, r.W + v.W);
            sum[at] = v;
            return v;
        }
    }

    private readonly struct Deviation(float mean) : IRowMap
    {
        private readonly float mean = mean;

        public Float4 Of(Float4 v, uint index) => new(v.X - mean, v.Y - mean, v.Z - mean, v.W - mean);
    }

    private readonly struct Affine(float rstd, Float4* gain, Float4* bias, Float4* y) : IRowStore
    {
        private readonly float rstd = rstd;
        private readonly Float4* gain = gain;
        private readonly Float4* bias = bias;
        private readonly Float4* y = y;

        public void Put(Float4 v, uint index)
        {
            Float4 g = gain[index];
            Float4 b = bias[index];
            y[index] = new Float4(
                Single.MultiplyAdd(v.X * rstd, g.X, b.X), Single.MultiplyAdd(v.Y * rstd, g.Y, b.Y), Single.MultiplyAdd(v.Z * rstd, g.Z, b.Z), Single.MultiplyAdd(v.W * rstd, g.W, b.W));
        }
    }
}
