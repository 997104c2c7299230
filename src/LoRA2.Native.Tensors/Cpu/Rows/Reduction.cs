using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>
/// Sums over whole arrays, accumulated in double: each block in a fixed order of lanes, then the blocks in order, so that the result
/// does not depend on the number of threads.
/// </summary>
internal static unsafe class Reduction
{
    /// <summary>Σ a.</summary>
    public static double Sum<T>(T* a, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int parts = SimdTask.Parts(count);
        if (parts <= 1) return SumBlock(a, count);
        double* partials = Scratch.Get<double>(ScratchSlot.Partials, parts);
        ThreadTeam.Run(parts, new SumTask<T>(a, count, partials));
        return Ordered(partials, parts);
    }

    /// <summary>Σ a².</summary>
    public static double SumOfSquares<T>(T* a, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Run<T, Product>(a, a, count);

    /// <summary>Σ a² of each array, then of all, as <see cref="SumOfSquares{T}(T*, nint)"/> of one after the other would give it; in one region.</summary>
    public static double SumOfSquares<T>(ReadOnlySpan<ArrayOf<T>> arrays)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ManyParts parts = ManyParts.For(arrays.Length);
        for (int i = 0; i < arrays.Length; i++) parts.Add(i, arrays[i].Count);
        double* partials = Scratch.Get<double>(ScratchSlot.Partials, parts.Total);
        fixed (ArrayOf<T>* pointer = arrays) ThreadTeam.Run(parts.Total, new ManyBlocksTask<T, Product>(pointer, parts, partials));
        double sum = 0;
        for (int i = 0; i < arrays.Length; partials += parts.Of(i++)) sum += Ordered(partials, parts.Of(i));
        return sum;
    }

    /// <summary>Σ a · b.</summary>
    public static double Dot<T>(T* a, T* b, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Run<T, Product>(a, b, count);

    /// <summary>Σ (a − b)².</summary>
    public static double SumOfSquaredDifferences<T>(T* a, T* b, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Run<T, SquaredDifference>(a, b, count);

    /// <summary>Whether no element is infinite or NaN.</summary>
    public static bool AllFinite<T>(T* a, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Run<T, NotFinite>(a, a, count) == 0;

    /// <summary>Σ a on this thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double SumBlock<T>(T* a, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => typeof(T) == typeof(float) ? SumOfSingles((float*)a, count) : SumOfDoubles((double*)a, count);

    /// <summary>The sum of partial results, in order.</summary>
    public static double Ordered(double* partials, nint count)
    {
        double sum = 0;
        for (nint i = 0; i < count; i++) sum += partials[i];
        return sum;
    }

    private static double Run<T, TTerm>(T* a, T* b, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, ITerm
    {
        int parts = SimdTask.Parts(count);
        if (parts <= 1) return Block<T, TTerm>(a, b, count);
        double* partials = Scratch.Get<double>(ScratchSlot.Partials, parts);
        ThreadTeam.Run(parts, new BlockTask<T, TTerm>(a, b, count, partials));
        return Ordered(partials, parts);
    }

    private static double Block<T, TTerm>(T* a, T* b, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, ITerm
    {
        Vector<double> s0 = default, s1 = default;
        nint i = 0;
        if (typeof(T) == typeof(float))
        {
            for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector.Widen(Vector.Load((float*)(a + i)), out Vector<double> a0, out Vector<double> a1);
                Vector.Widen(Vector.Load((float*)(b + i)), out Vector<double> b0, out Vector<double> b1);
                s0 += TTerm.Invoke(a0, b0);
                s1 += TTerm.Invoke(a1, b1);
            }
        }
        else
        {
            for (; i <= count - (2 * Vector<double>.Count); i += 2 * Vector<double>.Count)
            {
                s0 += TTerm.Invoke(Vector.Load((double*)(a + i)), Vector.Load((double*)(b + i)));
                double* next = (double*)(a + i) + Vector<double>.Count;
                s1 += TTerm.Invoke(Vector.Load(next), Vector.Load((double*)(b + i) + Vector<double>.Count));
            }
        }

        double sum = Vector.Sum(s0 + s1);
        for (; i < count; i++)
            sum += TTerm.Invoke(Vector.Create(VectorMath.Widen(a[i])), Vector.Create(VectorMath.Widen(b[i])))[0];
        return sum;
    }

    // The four quarters are read side by side, since the processor fetches ahead within a page only.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SumOfSingles(float* a, nint count)
    {
        Vector<double> s0 = default, s1 = default, s2 = default, s3 = default;
        int lanes = Vector<float>.Count;
        nint quarter = count / (4 * lanes) * lanes;
        float* b = a + quarter, c = b + quarter, d = c + quarter;
        nint i = 0;
        for (; i < quarter; i += lanes)
        {
            Widened(a + i, out Vector<double> a0, out Vector<double> a1);
            Widened(b + i, out Vector<double> b0, out Vector<double> b1);
            Widened(c + i, out Vector<double> c0, out Vector<double> c1);
            Widened(d + i, out Vector<double> d0, out Vector<double> d1);
            s0 += a0 + b0;
            s1 += a1 + b1;
            s2 += c0 + d0;
            s3 += c1 + d1;
        }

        for (i = 4 * quarter; i <= count - lanes; i += lanes)
        {
            Widened(a + i, out Vector<double> x0, out Vector<double> x1);
            s0 += x0;
            s1 += x1;
        }

        double rest = 0;
        for (; i < count; i++) rest += a[i];
        return Vector.Sum(s0 + s1 + (s2 + s3)) + rest;
    }

    // AVX widens half a register from memory without a shuffle.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Widened(float* a, out Vector<double> lower, out Vector<double> upper)
    {
        if (Avx.IsSupported && Vector<double>.Count == Vector256<double>.Count)
        {
            lower = Avx.ConvertToVector256Double(Vector128.Load(a)).AsVector();
            upper = Avx.ConvertToVector256Double(Vector128.Load(a + Vector128<float>.Count)).AsVector();
        }
        else
        {
            Vector.Widen(Vector.Load(a), out lower, out upper);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SumOfDoubles(double* a, nint count)
    {
        Vector<double> s0 = default, s1 = default, s2 = default, s3 = default;
        int lanes = Vector<double>.Count;
        nint quarter = count / (4 * lanes) * lanes;
        double* b = a + quarter, c = b + quarter, d = c + quarter;
        for (nint i = 0; i < quarter; i += lanes)
        {
            s0 += Vector.Load(a + i);
            s1 += Vector.Load(b + i);
            s2 += Vector.Load(c + i);
            s3 += Vector.Load(d + i);
        }

        double rest = 0;
        for (nint i = 4 * quarter; i < count; i++) rest += a[i];
        return Vector.Sum(s0 + s1 + (s2 + s3)) + rest;
    }

    private interface ITerm
    {
        static abstract Vector<double> Invoke(Vector<double> a, Vector<double> b);
    }

    private readonly struct Product : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<double> Invoke(Vector<double> a, Vector<double> b) => a * b;
    }

    private readonly struct SquaredDifference : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<double> Invoke(Vector<double> a, Vector<double> b) => (a - b) * (a - b);
    }

    // 0 for a finite number, NaN for any other: one NaN makes the sum NaN.
    private readonly struct NotFinite : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<double> Invoke(Vector<double> a, Vector<double> b) => a * Vector<double>.Zero;
    }

    private readonly struct SumTask<T>(T* a, nint count, double* partials) : IParallelTask
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int index)
        {
            nint start = (nint)index * SimdTask.BlockElements;
            partials[index] = SumBlock(a + start, Math.Min(SimdTask.BlockElements, count - start));
        }
    }

    private readonly struct BlockTask<T, TTerm>(T* a, T* b, nint count, double* partials) : IParallelTask
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, ITerm
    {
        public void Run(int index)
        {
            nint start = (nint)index * SimdTask.BlockElements;
            partials[index] = Block<T, TTerm>(a + start, b + start, Math.Min(SimdTask.BlockElements, count - start));
        }
    }

    private readonly struct ManyBlocksTask<T, TTerm>(ArrayOf<T>* arrays, ManyParts parts, double* partials) : IParallelTask
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, ITerm
    {
        public void Run(int index)
        {
            ArrayOf<T> array = arrays[parts.ArrayOf(index, out nint start)];
            T* a = array.Values + start;
            partials[index] = Block<T, TTerm>(a, a, Math.Min(SimdTask.BlockElements, array.Count - start));
        }
    }
}

/// <summary>An array in native memory.</summary>
internal readonly unsafe struct ArrayOf<T>(T* values, nint count)
    where T : unmanaged
{
    public T* Values { get; } = values;

    public nint Count => count;
}
