using ILGPU;
using LoRA2.Native.Cuda.Kernels.Elementwise;
using LoRA2.Native.Cuda.Kernels.Reductions;

namespace LoRA2.Native.Cuda.Kernels.Rows;

/// <summary>
/// Gradients of <see cref="LayerNorm"/>, from the normalised input x (the sum, if there was a residual), mean and rstd. With g = gain dy:
/// dx = (g − mean(g) − x̂ mean(g x̂)) rstd; dgain = Σ_rows dy x̂; dbias = Σ_rows dy.
/// </summary>
[KernelFamily]
internal static unsafe class LayerNormGradient
{
    /// <summary>Bit of <c>wanted</c>: the input's gradient is written to <c>dx</c>.</summary>
    private const uint Plain = 1;

    /// <summary>Bit of <c>wanted</c>: dropout of it is written to <c>dropped</c>.</summary>
    private const uint Dropped = 2;

    /// <summary>The input's gradient and its dropout, a warp a row (see <see cref="LayerNorm"/> for which rows).</summary>
    public static void Warp(
        nint x, nint gain, nint mean, nint rstd, nint dy, nint dx, nint dropped, uint wanted, ulong seed, [DropoutStream] ulong stream, uint threshold, float scale, uint rows, uint vectors)
    {
        uint lane = (uint)Group.IdxX & 31;
        uint row = ((uint)Grid.IdxX * 4) + ((uint)Group.IdxX / 32);
        if (row >= rows) return;
        uint first = row * vectors;
        float factor = ((float*)rstd)[row];
        float columns = 4 * vectors;
        WarpRow normal = WarpRow.Each(new Normal((Float4*)x + first, ((float*)mean)[row], factor), lane, vectors, 0);
        WarpRow upstream = WarpRow.Each(new Upstream((Float4*)gain, (Float4*)dy + first), lane, vectors, 0);
        float meanOf = WarpReduction.Sum(WarpRow.Sum(upstream)) / columns;
        float meanDot = WarpReduction.Sum(WarpRow.Dot(upstream, normal)) / columns;
        var words = new DropoutWords(seed, stream, threshold, scale);
        WarpRow.Store(new Gradient((Float4*)dx, (Float4*)dropped, wanted, words, first, meanOf, meanDot, factor), upstream, normal, lane, vectors);
    }

    /// <summary>The same by a block a row.</summary>
    public static void Block(
        nint x, nint gain, nint mean, nint rstd, nint dy, nint dx, nint dropped, uint wanted, ulong seed, [DropoutStream] ulong stream, uint threshold, float scale, uint columns)
    {
        uint row = (uint)Grid.IdxX;
        uint thread = (uint)Group.IdxX;
        uint first = row * columns;
        float* from = (float*)x + first;
        float* upstream = (float*)dy + first;
        float* weight = (float*)gain;
        float center = ((float*)mean)[row];
        float factor = ((float*)rstd)[row];
        float sum = 0, dot = 0;
        for (uint c = thread; c < columns; c += BlockReduction.Threads)
        {
            float g = weight[c] * upstream[c];
            sum += g;
            dot = Single.MultiplyAdd(g, (from[c] - center) * factor, dot);
        }

        float meanOf = BlockReduction.Sum(sum) / columns;
        float meanDot = BlockReduction.Sum(dot) / columns;
        var words = new DropoutWords(seed, stream, threshold, scale);
        for (uint c = thread; c < columns; c += BlockReduction.Threads)
        {
            float v = Of(weight[c] * upstream[c], (from[c] - center) * factor, meanOf, meanDot, factor);
            if ((wanted & Plain) != 0) ((float*)dx)[first + c] = v;
            if ((wanted & Dropped) != 0) ((float*)dropped)[first + c] = words.One(v, first + c);
        }
    }

    /// <summary>
    /// The gain's and the bias's gradients of a chunk of rows, in double: block (strip, chunk) of 32 × 8 threads, and a row of 2 · columns partial sums a chunk.
    /// </summary>
    public static void Parameters(nint x, nint mean, nint rstd, nint dy, nint partials, uint rows, uint columns, uint rowsPerChunk)
    {
        ArrayView<double> gains = SharedMemory.Allocate<double>(256);
        ArrayView<double> biases = SharedMemory.Allocate<double>(256);
        uint column = ((uint)Grid.IdxX * 32) + (uint)Group.IdxX;
        uint end = ((uint)Grid.IdxY + 1) * rowsPerChunk;
        if (end > rows) end = rows;
        double gain = 0, bias = 0;
        if (column < columns)
        {
            for (uint row = ((uint)Grid.IdxY * rowsPerChunk) + (uint)Group.IdxY; row < end; row += 8)
            {
                uint at = (row * columns) + column;
                float d = ((float*)dy)[at];
                gain += d * ((((float*)x)[at] - ((float*)mean)[row]) * ((float*)rstd)[row]);
                bias += d;
            }
        }

        int place = (Group.IdxY * 32) + Group.IdxX;
        gains[place] = gain;
        biases[place] = bias;
        Group.Barrier();
        if (Group.IdxY != 0 || column >= columns) return;
        double* to = (double*)partials + (2 * (uint)Grid.IdxY * columns);
        to[column] = ColumnSums.Eight(gains, Group.IdxX);
        to[columns + column] = ColumnSums.Eight(biases, Group.IdxX);
    }

    private static float Of(float g, float normal, float meanOf, float meanDot, float factor) => (g - meanOf - (normal * meanDot)) * factor;

    private readonly struct Normal(Float4* x, float mean, float rstd) : IRowFour
    {
        private readonly Float4* x = x;
        private readonly float mean = mean;
        private readonly float rstd = rstd;

        public Float4 Of(uint index)
        {
            Float4 v = x[index];
            return new Float4((v.X - mean) * rstd, (v.Y - mean) * rstd, (v.Z - mean) * rstd, (v.W - mean) * rstd);
        }
    }

    private readonly struct Upstream(Float4* gain, Float4* dy) : IRowFour
    {
        private readonly Float4* gain = gain;
        private readonly Float4* dy = dy;

        public Float4 Of(uint index)
        {
            Float4 g = gain[index];
            Float4 d = dy[index];
            return new Float4(g.X * d.X, g.Y * d.Y, g.Z * d.Z, g.W * d.W);
        }
    }

    private readonly struct Gradient(Float4* dx, Float4* dropped, uint wanted, DropoutWords words, uint first, float meanOf, float meanDot, float factor) : IRowPairStore
    {
        private readonly Float4* dx = dx;
        private readonly Float4* dropped = dropped;
        private readonly uint wanted = wanted;
        private readonly DropoutWords words = words;
        private readonly uint first = first;
        private readonly float meanOf = meanOf;
        private readonly float meanDot = meanDot;
        private readonly float factor = factor;

        public void Put(Float4 g, Float4 normal, uint index)
        {
            uint at = first + index;
            var v = new Float4(Of(g.X, normal.X), Of(g.Y, normal.Y), Of(g.Z, normal.Z), Of(g.W, normal.W));
            if ((wanted & Plain) != 0) dx[at] = v;
            if ((wanted & LayerNormGradient.Dropped) != 0) dropped[at] = words.Of(v, at);
        }

        private float Of(float g, float normal) => LayerNormGradient.Of(g, normal, meanOf, meanDot, factor);
    }
}
