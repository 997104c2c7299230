using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Adapters;

/// <summary>One adapter's tensors, or their gradients: u [inputs, k], v [k, r], λ [r], 𝒰 [r, k]. A null is not wanted.</summary>
internal unsafe struct FactorPointers<T>
    where T : unmanaged
{
    public T* OuterLeft;
    public T* InnerLeft;
    public T* SingularValues;
    public T* InnerRight;
}

/// <summary>
/// u M with M = v diag(λ) 𝒰, and its gradient. With G that of u M: ∂u = G Mᵀ, ∂M = uᵀ G, ∂v = ∂M 𝒰ᵀ Λ, ∂λ_i = (vᵀ ∂M 𝒰ᵀ)_ii and ∂𝒰 = Λ vᵀ ∂M. The rows
/// of u are split into parts; each has its sum for ∂M, and the sums are added in order. Gradients may be added to what is
/// there.
/// </summary>
internal static unsafe class LoRA2Fold
{
    // Some 10 µs of one core.
    private const int ProductsPerPart = 1 << 18;

    public static void Forward<T>(FactorPointers<T> factors, int inputs, int k, int r, T* middle, T* folded)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        SimdTask.Run<T, MiddleTask<T>>(1, new(factors, k, r, middle));
        SimdTask.Run<T, FoldTask<T>>(Parts(inputs, k), new(factors.OuterLeft, middle, inputs, k, folded));
    }

    public static void Backward<T>(FactorPointers<T> factors, int inputs, int k, int r, T* middle, T* gradient, FactorPointers<T> gradients, bool adds)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int parts = Parts(inputs, k);
        nint square = (nint)k * k;
        // Mᵀ, then a sum for each part.
        T* transposed = Scratch.Get<T>(ScratchSlot.Partials, (Math.Max(parts, 1) + 1) * square);
        T* sums = transposed + square;
        new Span<T>(sums, checked((int)square)).Clear();
        RankProduct.Transpose(middle, k, k, transposed);
        SimdTask.Run<T, RowsTask<T>>(parts, new(factors.OuterLeft, gradient, transposed, inputs, k, sums, gradients.OuterLeft, adds));
        for (int part = 1; part < parts; part++)
        {
            for (nint i = 0; i < square; i++) sums[i] += sums[(part * square) + i];
        }

        SimdTask.Run<T, InnerTask<T>>(1, new(factors, k, r, sums, gradients, adds));
    }

    private static int Parts(int inputs, int k) => SimdTask.Parts(inputs, RowsPerPart(k));

    private static nint RowsPerPart(int k) => (nint)Math.Max(1, ProductsPerPart / Math.Max(1, (long)k * k));

    private readonly struct MiddleTask<T>(FactorPointers<T> factors, int k, int r, T* middle) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            T* scaled = Scratch.Get<T>(ScratchSlot.Factors, (nint)k * r);
            for (int j = 0; j < k; j++)
            {
                for (int i = 0; i < r; i++) scaled[((nint)j * r) + i] = factors.InnerLeft[((nint)j * r) + i] * factors.SingularValues[i];
            }

            RankProduct.Multiply<TSimd, T>(scaled, k, r, factors.InnerRight, k, middle, add: false);
        }
    }

    private readonly struct FoldTask<T>(T* outer, T* middle, int inputs, int k, T* folded) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint start = index * RowsPerPart(k);
            RankProduct.Multiply<TSimd, T>(outer + (start * k), Math.Min(RowsPerPart(k), inputs - start), k, middle, k, folded + (start * k), add: false);
        }
    }

    private readonly struct RowsTask<T>(T* outer, T* gradient, T* transposed, int inputs, int k, T* sums, T* outerGradient, bool adds) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint start = index * RowsPerPart(k);
            nint rows = Math.Min(RowsPerPart(k), inputs - start);
            RankProduct.OverRows<TSimd, T>(outer + (start * k), k, gradient + (start * k), k, rows, sums + ((nint)index * k * k));
            if (outerGradient != null) RankProduct.Multiply<TSimd, T>(gradient + (start * k), rows, k, transposed, k, outerGradient + (start * k), add: adds);
        }
    }

    private readonly struct InnerTask<T>(FactorPointers<T> factors, int k, int r, T* sum, FactorPointers<T> gradients, bool adds) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint size = (nint)k * r;
            T* flipped = Scratch.Get<T>(ScratchSlot.Factors, 2 * size);
            T* right = flipped + size;
            RankProduct.Transpose(factors.InnerRight, r, k, flipped);
            RankProduct.Multiply<TSimd, T>(sum, k, k, flipped, r, right, add: false);
            if (gradients.SingularValues != null && !adds) new Span<T>(gradients.SingularValues, r).Clear();
            for (int j = 0; j < k; j++)
            {
                for (int i = 0; i < r; i++)
                {
                    nint at = ((nint)j * r) + i;
                    if (gradients.InnerLeft != null) gradients.InnerLeft[at] = (adds ? gradients.InnerLeft[at] : T.Zero) + (right[at] * factors.SingularValues[i]);
                    if (gradients.SingularValues != null) gradients.SingularValues[i] += right[at] * factors.InnerLeft[at];
                    flipped[((nint)i * k) + j] = factors.InnerLeft[at] * factors.SingularValues[i];
                }
            }

            if (gradients.InnerRight != null) RankProduct.Multiply<TSimd, T>(flipped, r, k, sum, k, gradients.InnerRight, add: adds);
        }
    }
}
