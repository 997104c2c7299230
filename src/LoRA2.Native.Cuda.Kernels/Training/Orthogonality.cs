using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Training;

/// <summary>
/// The orthogonality losses of many planes. With G = uᵀu, E₁ = G − I, E₂ = vvᵀ − I and E₃ = vᵀGv − I a plane's loss is ‖E₁‖² + ‖E₂‖² + ‖E₃‖²,
/// ∂u = 4 u (E₁ + v E₃ vᵀ) and ∂v = 4 (E₂ v + G v E₃); the right plane is the left one of 𝒱ᵀ and 𝒰ᵀ. A plane's record is of 64 bytes: the addresses of the outer
/// matrix, the inner one (or 0), what is kept (k² values, by which the outer matrix is multiplied for its gradient, then the inner one's gradient), the two gradients
/// (or 0) and working memory; then the width, k, r, and bits: 1 of the left side, 2 of the factors, 4 of the product.
/// </summary>
[KernelFamily]
internal static unsafe class Orthogonality
{
    private const uint Left = 1, OfFactors = 2, OfProduct = 4;

    /// <summary>A chunk of the width's share of G, to working memory: block (chunk, plane).</summary>
    public static void Gram(nint records, uint chunkWidth)
    {
        Plane plane = Plane.At(records, (uint)Grid.IdxY);
        uint first = (uint)Grid.IdxX * chunkWidth;
        if (first >= plane.Width) return;
        uint end = first + chunkWidth < plane.Width ? first + chunkWidth : plane.Width;
        uint k = plane.K;
        float* outer = (float*)plane.Outer;
        float* to = (float*)plane.Work + ((uint)Grid.IdxX * k * k);
        // Along the width, and from one of the k vectors to the next.
        uint along = plane.IsLeft ? k : 1;
        uint next = plane.IsLeft ? 1 : plane.Width;
        for (uint e = (uint)Group.IdxX; e < k * k; e += (uint)Group.DimX)
        {
            uint i = e / k;
            uint j = e - (i * k);
            float sum = 0;
            for (uint p = first; p < end; p++) sum = Single.MultiplyAdd(outer[(p * along) + (i * next)], outer[(p * along) + (j * next)], sum);
            to[e] = sum;
        }
    }

    /// <summary>The loss of each plane, a block each, and what its gradient needs. Working memory holds G's shares, then max(k, r)² + 3 k r values.</summary>
    public static void Loss(nint records, uint chunkWidth, uint norms, nint losses)
    {
        Plane plane = Plane.At(records, (uint)Grid.IdxX);
        uint thread = (uint)Group.IdxX;
        uint k = plane.K, r = plane.R, square = k * k, size = k * r;
        uint chunks = (plane.Width + chunkWidth - 1) / chunkWidth;
        float* gram = (float*)plane.Work;
        float* gap = gram + ((chunks == 0 ? 1 : chunks) * square);
        float* kept = (float*)plane.Kept;
        double squares = 0;
        for (uint e = thread; e < square; e += BlockReduction.Threads)
        {
            float sum = 0;
            for (uint chunk = 0; chunk < chunks; chunk++) sum += gram[(chunk * square) + e];
            gram[e] = sum;
            float value = plane.Has(OfFactors) ? sum - (e % (k + 1) == 0 ? 1f : 0f) : 0;
            kept[e] = value;
            squares += (double)value * value;
        }

        squares = BlockReduction.Sum(squares);
        double norm = Math.Sqrt(squares);
        // Where the norm is 0 it has no gradient; 0 is taken.
        float factor = norms == 0 ? 4 : norm > 0 ? (float)(2 / norm) : 0;
        for (uint e = thread; e < square; e += BlockReduction.Threads) kept[e] *= factor;
        double loss = norms == 0 ? squares : norm;
        if (plane.Inner != 0)
        {
            uint largest = (k > r ? k : r) * (k > r ? k : r);
            float* gradient = gap + largest;
            if (plane.Has(OfFactors)) loss += FactorLoss(plane, gap, gradient);
            else for (uint e = thread; e < size; e += BlockReduction.Threads) gradient[e] = 0;
            Group.Barrier();
            if (plane.Has(OfProduct)) loss += ProductLoss(plane, gram, gap, gradient);
            Group.Barrier();
            for (uint e = thread; e < size; e += BlockReduction.Threads) kept[square + e] = gradient[plane.Turned(e)];
        }

        if (thread == 0) ((double*)losses)[Grid.IdxX] = loss;
    }

    /// <summary>loss = scale · Σ losses; one block.</summary>
    public static void Total(nint losses, uint count, double scale, nint loss)
    {
        double sum = 0;
        for (uint i = (uint)Group.IdxX; i < count; i += BlockReduction.Threads) sum += ((double*)losses)[i];
        sum = BlockReduction.Sum(sum);
        if (Group.IdxX == 0) *(float*)loss = (float)(scale * sum);
    }

    /// <summary>Adds scale · dloss · the gradients: block (chunk of the width, plane).</summary>
    public static void Backward(nint records, uint chunkWidth, double scale, nint dloss)
    {
        Plane plane = Plane.At(records, (uint)Grid.IdxY);
        uint thread = (uint)Group.IdxX;
        uint threads = (uint)Group.DimX;
        uint k = plane.K;
        float factor = (float)(scale * *(float*)dloss);
        float* kept = (float*)plane.Kept;
        if (plane.InnerGradient != 0 && Grid.IdxX == 0)
        {
            for (uint e = thread; e < k * plane.R; e += threads) ((float*)plane.InnerGradient)[e] += factor * kept[(k * k) + e];
        }

        uint first = (uint)Grid.IdxX * chunkWidth;
        if (plane.OuterGradient == 0 || first >= plane.Width) return;
        uint width = first + chunkWidth < plane.Width ? chunkWidth : plane.Width - first;
        for (uint e = thread; e < width * k; e += threads)
        {
            // Neighbouring threads take neighbours in memory.
            uint i = plane.IsLeft ? e % k : e / width;
            uint p = first + (plane.IsLeft ? e / k : e % width);
            uint at = plane.IsLeft ? (p * k) + i : (i * plane.Width) + p;
            float sum = ((float*)plane.OuterGradient)[at];
            for (uint j = 0; j < k; j++)
            {
                float outer = ((float*)plane.Outer)[plane.IsLeft ? (p * k) + j : (j * plane.Width) + p];
                sum = Single.MultiplyAdd(outer, factor * kept[plane.IsLeft ? (j * k) + i : (i * k) + j], sum);
            }

            ((float*)plane.OuterGradient)[at] = sum;
        }
    }

    /// <summary>‖E₂‖²; gradient = 4 E₂ v.</summary>
    private static double FactorLoss(Plane plane, float* gap, float* gradient)
    {
        uint thread = (uint)Group.IdxX;
        uint k = plane.K, r = plane.R;
        double squares = 0;
        for (uint e = thread; e < k * k; e += BlockReduction.Threads)
        {
            uint j = e / k;
            uint c = e - (j * k);
            float sum = 0;
            for (uint i = 0; i < r; i++) sum = Single.MultiplyAdd(plane.V(j, i), plane.V(c, i), sum);
            sum -= j == c ? 1f : 0f;
            squares += (double)sum * sum;
            gap[e] = 4 * sum;
        }

        // Its barriers come between the gap's writing and reading.
        squares = BlockReduction.Sum(squares);
        for (uint e = thread; e < k * r; e += BlockReduction.Threads)
        {
            uint j = e / r;
            uint i = e - (j * r);
            float sum = 0;
            for (uint c = 0; c < k; c++) sum = Single.MultiplyAdd(gap[(j * k) + c], plane.V(c, i), sum);
            gradient[e] = sum;
        }

        return squares;
    }

    /// <summary>‖E₃‖²; gradient += 4 G v E₃, and 4 v E₃ vᵀ is added to what is kept.</summary>
    private static double ProductLoss(Plane plane, float* gram, float* gap, float* gradient)
    {
        uint thread = (uint)Group.IdxX;
        uint k = plane.K, r = plane.R;
        float* carried = gradient + (k * r);
        float* half = carried + (k * r);
        for (uint e = thread; e < k * r; e += BlockReduction.Threads)
        {
            uint j = e / r;
            uint i = e - (j * r);
            float sum = 0;
            for (uint c = 0; c < k; c++) sum = Single.MultiplyAdd(gram[(j * k) + c], plane.V(c, i), sum);
            carried[e] = sum;
        }

        Group.Barrier();
        double squares = 0;
        for (uint e = thread; e < r * r; e += BlockReduction.Threads)
        {
            uint p = e / r;
            uint i = e - (p * r);
            float sum = 0;
            for (uint j = 0; j < k; j++) sum = Single.MultiplyAdd(plane.V(j, p), carried[(j * r) + i], sum);
            sum -= p == i ? 1f : 0f;
            squares += (double)sum * sum;
            gap[e] = 4 * sum;
        }

        squares = BlockReduction.Sum(squares);
        for (uint e = thread; e < k * r; e += BlockReduction.Threads)
        {
            uint j = e / r;
            uint i = e - (j * r);
            float sum = gradient[e];
            float outer = 0;
            for (uint p = 0; p < r; p++)
            {
                sum = Single.MultiplyAdd(carried[(j * r) + p], gap[(p * r) + i], sum);
                outer = Single.MultiplyAdd(plane.V(j, p), gap[(p * r) + i], outer);
            }

            gradient[e] = sum;
            half[e] = outer;
        }

        Group.Barrier();
        float* kept = (float*)plane.Kept;
        for (uint e = thread; e < k * k; e += BlockReduction.Threads)
        {
            uint j = e / k;
            uint c = e - (j * k);
            float sum = kept[e];
            for (uint i = 0; i < r; i++) sum = Single.MultiplyAdd(half[(j * r) + i], plane.V(c, i), sum);
            kept[e] = sum;
        }

        return squares;
    }

    private readonly struct Plane(long outer, long inner, long kept, long outerGradient, long innerGradient, long work, uint width, uint k, uint r, uint bits)
    {
        public readonly long Outer = outer;
        public readonly long Inner = inner;
        public readonly long Kept = kept;
        public readonly long OuterGradient = outerGradient;
        public readonly long InnerGradient = innerGradient;
        public readonly long Work = work;
        public readonly uint Width = width;
        public readonly uint K = k;
        public readonly uint R = r;
        private readonly uint bits = bits;

        public bool IsLeft => (bits & Left) != 0;

        public static Plane At(nint records, uint index)
        {
            long* record = (long*)(records + (nint)(64UL * index));
            uint* numbers = (uint*)(record + 6);
            return new Plane(record[0], record[1], record[2], record[3], record[4], record[5], numbers[0], numbers[1], numbers[2], numbers[3]);
        }

        public bool Has(uint bit) => (bits & bit) != 0;

        /// <summary>Element (j, i) of v [k, r], the inner matrix or its transpose.</summary>
        public float V(uint j, uint i) => ((float*)Inner)[IsLeft ? (j * R) + i : (i * K) + j];

        /// <summary>Where element e of the inner matrix is in v.</summary>
        public uint Turned(uint e) => IsLeft ? e : ((e % K) * R) + (e / K);
    }
}
