using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoRA2.Native.Tensors.Cpu.Vectors;

/// <summary>A 512-bit register of <typeparamref name="T"/>.</summary>
internal readonly unsafe struct Simd512<T>(Vector512<T> value) : ISimd<Simd512<T>, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Vector512<T> value = value;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512<T>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> Create(T value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> Load(T* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Simd512<T> value, T* destination) => Vector512.Store(value.value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> LoadPartial(T* source, int count, Simd512<T> fill)
    {
        if (!Avx512F.IsSupported) return LoadLanes(source, count, fill);
        return typeof(T) == typeof(float)
            ? new(Avx512F.MaskLoad((float*)source, First32(count).AsSingle(), fill.value.AsSingle()).As<float, T>())
            : new(Avx512F.MaskLoad((double*)source, First64(count).AsDouble(), fill.value.AsDouble()).As<double, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(Simd512<T> value, T* destination, int count)
    {
        if (!Avx512F.IsSupported) StoreLanes(value, destination, count);
        else if (typeof(T) == typeof(float)) Avx512F.MaskStore((float*)destination, First32(count).AsSingle(), value.value.AsSingle());
        else Avx512F.MaskStore((double*)destination, First64(count).AsDouble(), value.value.AsDouble());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> FirstLanes(int count) => typeof(T) == typeof(float)
        ? new(Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).As<int, T>())
        : new(Vector512.LessThan(Vector512<long>.Indices, Vector512.Create((long)count)).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> LoadMask(int* source)
    {
        if (typeof(T) == typeof(float)) return new((~Vector512.Equals(Vector512.Load(source), Vector512<int>.Zero)).As<int, T>());
        (Vector256<long> lower, Vector256<long> upper) = Vector256.Widen(Vector256.Load(source));
        return new((~Vector512.Equals(Vector512.Create(lower, upper), Vector512<long>.Zero)).As<long, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> LoadMaskPartial(int* source, int count)
    {
        if (!Avx512F.IsSupported || typeof(T) != typeof(float)) return LoadMaskLanes(source, count);
        Vector512<int> loaded = Avx512F.MaskLoad(source, First32(count), Vector512<int>.Zero);
        return new((~Vector512.Equals(loaded, Vector512<int>.Zero)).As<int, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> First32(int count) => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<long> First64(int count) => Vector512.LessThan(Vector512<long>.Indices, Vector512.Create((long)count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> LoadAtLeast(uint* source, uint threshold)
    {
        if (typeof(T) == typeof(float))
            return new(Vector512.GreaterThanOrEqual(Vector512.Load(source), Vector512.Create(threshold)).As<uint, T>());
        (Vector256<ulong> lower, Vector256<ulong> upper) = Vector256.Widen(Vector256.Load(source));
        return new(Vector512.GreaterThanOrEqual(Vector512.Create(lower, upper), Vector512.Create((ulong)threshold)).As<ulong, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> operator +(Simd512<T> left, Simd512<T> right) => new(left.value + right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> operator -(Simd512<T> left, Simd512<T> right) => new(left.value - right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> operator *(Simd512<T> left, Simd512<T> right) => new(left.value * right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> operator /(Simd512<T> left, Simd512<T> right) => new(left.value / right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> operator &(Simd512<T> left, Simd512<T> right) => new(left.value & right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> MultiplyAdd(Simd512<T> a, Simd512<T> b, Simd512<T> c) => typeof(T) == typeof(float)
        ? new(Vector512.MultiplyAddEstimate(a.value.AsSingle(), b.value.AsSingle(), c.value.AsSingle()).As<float, T>())
        : new(Vector512.MultiplyAddEstimate(a.value.AsDouble(), b.value.AsDouble(), c.value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> Abs(Simd512<T> value) => new(Vector512.Abs(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> Sqrt(Simd512<T> value) => new(Vector512.Sqrt(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> Reciprocal(Simd512<T> value)
    {
        if (typeof(T) != typeof(float) || !Avx512F.IsSupported) return new(Vector512<T>.One / value.value);
        // 14 bits, doubled by one of Newton's steps, and a step more, whose rest is exact, which rounds as a division does (Markstein): a division takes longer than these.
        Vector512<float> x = value.value.AsSingle(), y = Avx512F.Reciprocal14(x);
        y = Vector512.FusedMultiplyAdd(y, Vector512.FusedMultiplyAdd(-x, y, Vector512<float>.One), y);
        return new(Vector512.FusedMultiplyAdd(y, Vector512.FusedMultiplyAdd(-x, y, Vector512<float>.One), y).As<float, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> Min(Simd512<T> left, Simd512<T> right) => new(Vector512.MinNative(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> Max(Simd512<T> left, Simd512<T> right) => new(Vector512.MaxNative(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> Round(Simd512<T> value) => typeof(T) == typeof(float)
        ? new(Vector512.Round(value.value.AsSingle()).As<float, T>())
        : new(Vector512.Round(value.value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> Scale(Simd512<T> value, Simd512<T> exponent)
    {
        if (Avx512F.IsSupported)
        {
            return typeof(T) == typeof(float)
                ? new(Avx512F.Scale(value.value.AsSingle(), exponent.value.AsSingle()).As<float, T>())
                : new(Avx512F.Scale(value.value.AsDouble(), exponent.value.AsDouble()).As<double, T>());
        }

        // In two steps, so that neither factor leaves the normal range when the result is subnormal or at the edge of overflow.
        if (typeof(T) == typeof(float))
        {
            Vector512<int> whole = Vector512.ConvertToInt32Native(exponent.value.AsSingle());
            Vector512<int> half = whole >> 1;
            Vector512<float> first = ((half + Vector512.Create(127)) << 23).AsSingle();
            Vector512<float> second = ((whole - half + Vector512.Create(127)) << 23).AsSingle();
            return new((value.value.AsSingle() * first * second).As<float, T>());
        }
        else
        {
            Vector512<long> whole = Vector512.ConvertToInt64Native(exponent.value.AsDouble());
            Vector512<long> half = whole >> 1;
            Vector512<double> first = ((half + Vector512.Create(1023L)) << 52).AsDouble();
            Vector512<double> second = ((whole - half + Vector512.Create(1023L)) << 52).AsDouble();
            return new((value.value.AsDouble() * first * second).As<double, T>());
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> LessThan(Simd512<T> left, Simd512<T> right) => new(Vector512.LessThan(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> Select(Simd512<T> mask, Simd512<T> ifSet, Simd512<T> ifClear) =>
        new(Vector512.ConditionalSelect(mask.value, ifSet.value, ifClear.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512<T> CopySign(Simd512<T> magnitude, Simd512<T> sign) =>
        new(Vector512.ConditionalSelect(Vector512.Create(T.NegativeZero), sign.value, magnitude.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Simd512<T> value) => Vector512.Sum(value.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Largest(Simd512<T> value) =>
        Simd256<T>.Largest(new(Vector256.MaxNative(value.value.GetLower(), value.value.GetUpper())));

    private static Simd512<T> LoadLanes(T* source, int count, Simd512<T> fill)
    {
        Simd512<T> result = fill;
        for (int i = 0; i < count; i++) ((T*)&result)[i] = source[i];
        return result;
    }

    private static void StoreLanes(Simd512<T> value, T* destination, int count)
    {
        for (int i = 0; i < count; i++) destination[i] = ((T*)&value)[i];
    }

    private static Simd512<T> LoadMaskLanes(int* source, int count)
    {
        Simd512<T> result = default;
        for (int i = 0; i < count; i++) ((T*)&result)[i] = source[i] != 0 ? T.AllBitsSet : T.Zero;
        return result;
    }
}
