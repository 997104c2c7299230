using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Adapters;

/// <summary>A plane as the kernel sees it; see <see cref="OrthogonalityPlane"/>.</summary>
internal unsafe struct PlanePointers<T>
    where T : unmanaged
{
    /// <summary>[Width, K] on the left, [K, Width] on the right.</summary>
    public T* Outer;

    /// <summary>[K, R] on the left, [R, K] on the right; null when the plane has none.</summary>
    public T* Inner;

    /// <summary>K² values: the gradient of the outer matrix is that matrix times these. Then the inner matrix's gradient.</summary>
    public T* Coefficients;

    /// <summary>What is added to, or null.</summary>
    public T* OuterGradient;

    /// <summary>What is added to, or null.</summary>
    public T* InnerGradient;

    public int Width;
    public int K;
    public int R;
    public bool IsLeft;
    public bool OfFactors;
    public bool OfProduct;
}

/// <summary>
/// The orthogonality losses of many planes in one region, a plane a part: its loss and all that its gradient needs, from one pass over the outer matrix. With
/// G = uᵀu, E₁ = G − I, E₂ = vvᵀ − I and E₃ = vᵀGv − I the loss is ‖E₁‖² + ‖E₂‖² + ‖E₃‖², ∂u = 4 u (E₁ + v E₃ vᵀ) and ∂v = 4 (E₂ v + G v E₃). The right plane is
/// the left one of 𝒱ᵀ and 𝒰ᵀ.
/// </summary>
internal static unsafe class Orthogonality
{
    /// <summary>Returns the sum of the planes' losses; of ‖E₁‖ instead of its square with <paramref name="norms"/>.</summary>
    public static double Forward<T>(PlanePointers<T>* planes, int count, bool norms)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double* losses = Scratch.Get<double>(ScratchSlot.Partials, count);
        SimdTask.Run<T, LossTask<T>>(count, new(planes, norms, losses));
        return Reduction.Ordered(losses, count);
    }

    /// <summary>Adds <paramref name="scale"/> times the gradients.</summary>
    public static void Backward<T>(PlanePointers<T>* planes, int count, T scale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => SimdTask.Run<T, GradientTask<T>>(count, new(planes, scale));

    private readonly struct LossTask<T>(PlanePointers<T>* planes, bool norms, double* losses) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            PlanePointers<T> plane = planes[index];
            (int k, int r) = (plane.K, plane.R);
            (nint square, nint size) = ((nint)k * k, (nint)k * r);
            nint largest = (nint)Math.Max(k, r) * Math.Max(k, r);
            T* gram = Scratch.Get<T>(ScratchSlot.Factors, square + largest + (4 * size));
            T* gap = gram + square;
            if (plane.IsLeft) RankProduct.OverRows<TSimd, T>(plane.Outer, k, plane.Outer, k, plane.Width, gram);
            else RankProduct.OverColumns<TSimd, T>(plane.Outer, k, plane.Width, gram);
            double loss = 0;
            new Span<T>(plane.Coefficients, checked((int)(square + size))).Clear();
            if (plane.OfFactors)
            {
                new ReadOnlySpan<T>(gram, (int)square).CopyTo(new Span<T>(plane.Coefficients, (int)square));
                double sum = Gap(plane.Coefficients, k);
                double norm = Math.Sqrt(sum);
                // Where the norm is 0 it has no gradient; 0 is taken.
                Scale(plane.Coefficients, square, norms ? (norm > 0 ? 2 / norm : 0) : 4);
                loss += norms ? norm : sum;
            }

            if (plane.Inner != null)
            {
                T* inner = gap + largest;
                RankProduct.Transpose(plane.Inner, plane.IsLeft ? k : r, plane.IsLeft ? r : k, inner);
                loss += Inner<TSimd>(plane, gram, gap, plane.IsLeft ? plane.Inner : inner, plane.IsLeft ? inner : plane.Inner, inner + size);
            }

            losses[index] = loss;
        }

        /// <summary>‖E₂‖² + ‖E₃‖². <paramref name="v"/> is [k, r], <paramref name="flipped"/> its transpose.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static double Inner<TSimd>(in PlanePointers<T> plane, T* gram, T* gap, T* v, T* flipped, T* work)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            (int k, int r) = (plane.K, plane.R);
            (nint square, nint size) = ((nint)k * k, (nint)k * r);
            T* gradient = work;
            T* carried = work + size;
            T* half = carried + size;
            new Span<T>(gradient, (int)size).Clear();
            double loss = 0;
            if (plane.OfFactors)
            {
                RankProduct.Multiply<TSimd, T>(v, k, r, flipped, k, gap, add: false);
                loss += Gap(gap, k);
                Scale(gap, square, 4);
                RankProduct.Multiply<TSimd, T>(gap, k, k, v, r, gradient, add: true);
            }

            if (plane.OfProduct)
            {
                RankProduct.Multiply<TSimd, T>(gram, k, k, v, r, carried, add: false);
                RankProduct.Multiply<TSimd, T>(flipped, r, k, carried, r, gap, add: false);
                loss += Gap(gap, r);
                Scale(gap, (nint)r * r, 4);
                RankProduct.Multiply<TSimd, T>(carried, k, r, gap, r, gradient, add: true);
                RankProduct.Multiply<TSimd, T>(v, k, r, gap, r, half, add: false);
                RankProduct.Multiply<TSimd, T>(half, k, r, flipped, k, plane.Coefficients, add: true);
            }

            T* found = plane.Coefficients + square;
            if (plane.IsLeft) new ReadOnlySpan<T>(gradient, (int)size).CopyTo(new Span<T>(found, (int)size));
            else RankProduct.Transpose(gradient, k, r, found);
            return loss;
        }

        /// <summary>Subtracts the identity and returns the sum of squares.</summary>
        private static double Gap(T* square, int n)
        {
            double sum = 0;
            for (int i = 0; i < n; i++)
            {
                for (int j = 0; j < n; j++)
                {
                    nint at = ((nint)i * n) + j;
                    if (i == j) square[at] -= T.One;
                    double value = VectorMath.Widen(square[at]);
                    sum += value * value;
                }
            }

            return sum;
        }

        private static void Scale(T* values, nint count, double by)
        {
            T factor = VectorMath.Scalar<T>(by);
            for (nint i = 0; i < count; i++) values[i] *= factor;
        }
    }

    private readonly struct GradientTask<T>(PlanePointers<T>* planes, T scale) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            PlanePointers<T> plane = planes[index];
            nint square = (nint)plane.K * plane.K;
            if (plane.OuterGradient != null)
            {
                T* scaled = Scratch.Get<T>(ScratchSlot.Factors, square);
                for (nint i = 0; i < square; i++) scaled[i] = scale * plane.Coefficients[i];
                if (plane.IsLeft) RankProduct.Multiply<TSimd, T>(plane.Outer, plane.Width, plane.K, scaled, plane.K, plane.OuterGradient, add: true);
                else RankProduct.Multiply<TSimd, T>(scaled, plane.K, plane.K, plane.Outer, plane.Width, plane.OuterGradient, add: true);
            }

            if (plane.InnerGradient == null) return;
            nint size = (nint)plane.K * plane.R;
            for (nint i = 0; i < size; i++) plane.InnerGradient[i] += scale * plane.Coefficients[square + i];
        }
    }
}
