using ILGPU;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>
/// Layer normalisation of each row: x̂ = (x − mean) rstd, y = gain x̂ + bias. Kernels named Warp keep a row in a warp's registers, four rows a block:
/// up to <see cref="WarpRow.Most"/> columns, a multiple of 4, and addresses that are multiples of 16. The others take a block a row, of any number of columns.
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
        WarpRow values = WarpRow.Each(new Loaded((Float4*)x + (row * vectors)), lane, vectors);
        Normalise(values, gain, bias, epsilon, y, mean, rstd, row, lane, vectors);
    }

    /// <summary>The same of sum = residual + dropout(x), which is written too.</summary>
    public static void AddWarp(
        nint x, ulong seed, ulong stream, uint threshold, float scale, nint residual, nint gain, nint bias, float epsilon, nint sum, nint y, nint mean, nint rstd, uint rows, uint vectors)
    {
        uint lane = (uint)Group.IdxX & 31;
        uint row = ((uint)Grid.IdxX * 4) + ((uint)Group.IdxX / 32);
        if (row >= rows) return;
        uint first = row * vectors;
        var dropout = new DropoutWords(seed, stream, threshold, scale);
        WarpRow values = WarpRow.Each(new Dropped((Float4*)x, (Float4*)residual, (Float4*)sum, first, dropout), lane, vectors);
        Normalise(values, gain, bias, epsilon, y, mean, rstd, row, lane, vectors);
    }

    private static void Normalise(WarpRow values, nint gain, nint bias, float epsilon, nint y, nint mean, nint rstd, uint row, uint lane, uint vectors)
    {
        float columns = 4 * vectors;
        float m = WarpReduction.Sum(WarpRow.Sum(values)) / columns;
        WarpRow squares = WarpRow.Each(new SquaredDeviation(m), values, lane, vectors);
        float inverse = 1 / MathF.Sqrt((WarpReduction.Sum(WarpRow.Sum(squares)) / columns) + epsilon);
        if (lane == 0)
        {
            ((float*)mean)[row] = m;
            ((float*)rstd)[row] = inverse;
        }

        WarpRow.Each(new Affine(m, inverse, (Float4*)gain, (Float4*)bias, (Float4*)y + (row * vectors)), values, lane, vectors);
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

    private readonly struct SquaredDeviation(float mean) : IRowMap
    {
        private readonly float mean = mean;

        public Float4 Of(Float4 v, uint index)
        {
            float x = v.X - mean, y = v.Y - mean, z = v.Z - mean, w = v.W - mean;
            return new Float4(x * x, y * y, z * z, w * w);
        }
    }

    private readonly struct Affine(float mean, float rstd, Float4* gain, Float4* bias, Float4* y) : IRowMap
    {
        private readonly float mean = mean;
        private readonly float rstd = rstd;
        private readonly Float4* gain = gain;
        private readonly Float4* bias = bias;
        private readonly Float4* y = y;

        public Float4 Of(Float4 v, uint index)
        {
            Float4 g = gain[index];
            Float4 b = bias[index];
            y[index] = new Float4(Of(v.X, g.X, b.X), Of(v.Y, g.Y, b.Y), Of(v.Z, g.Z, b.Z), Of(v.W, g.W, b.W));
            return v;
        }

        private float Of(float x, float g, float b) => Single.MultiplyAdd((x - mean) * rstd, g, b);
    }
}
