using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoRA2.Native.Tensors.Cpu.Vectors;

/// <summary>A 256-bit register of <typeparamref name="T"/>.</summary>
internal readonly unsafe struct Simd256<T>(Vector256<T> value) : ISimd<Simd256<T>, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Vector256<T> value = value;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256<T>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> Create(T value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> Load(T* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Simd256<T> value, T* destination) => Vector256.Store(value.value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> LoadPartial(T* source, int count, Simd256<T> fill)
    {
        if (!Avx.IsSupported) return LoadLanes(source, count, fill);
        if (typeof(T) == typeof(float))
        {
            Vector256<float> mask = First32(count).AsSingle();
            return new(Vector256.ConditionalSelect(mask, Avx.MaskLoad((float*)source, mask), fill.value.AsSingle()).As<float, T>());
        }
        else
        {
            Vector256<double> mask = First64(count).AsDouble();
            return new(Vector256.ConditionalSelect(mask, Avx.MaskLoad((double*)source, mask), fill.value.AsDouble()).As<double, T>());
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(Simd256<T> value, T* destination, int count)
    {
        if (!Avx.IsSupported) StoreLanes(value, destination, count);
        else if (typeof(T) == typeof(float)) Avx.MaskStore((float*)destination, First32(count).AsSingle(), value.value.AsSingle());
        else Avx.MaskStore((double*)destination, First64(count).AsDouble(), value.value.AsDouble());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> FirstLanes(int count) => typeof(T) == typeof(float)
        ? new(Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).As<int, T>())
        : new(Vector256.LessThan(Vector256<long>.Indices, Vector256.Create((long)count)).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> LoadMask(int* source)
    {
        if (typeof(T) == typeof(float)) return new((~Vector256.Equals(Vector256.Load(source), Vector256<int>.Zero)).As<int, T>());
        (Vector128<long> lower, Vector128<long> upper) = Vector128.Widen(Vector128.Load(source));
        return new((~Vector256.Equals(Vector256.Create(lower, upper), Vector256<long>.Zero)).As<long, T>());
    }

    public static Simd256<T> LoadMaskPartial(int* source, int count) => LoadMaskLanes(source, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> First32(int count) => Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<long> First64(int count) => Vector256.LessThan(Vector256<long>.Indices, Vector256.Create((long)count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> LoadAtLeast(uint* source, uint threshold)
    {
        if (typeof(T) == typeof(float))
            return new(Vector256.GreaterThanOrEqual(Vector256.Load(source), Vector256.Create(threshold)).As<uint, T>());
        (Vector128<ulong> lower, Vector128<ulong> upper) = Vector128.Widen(Vector128.Load(source));
        return new(Vector256.GreaterThanOrEqual(Vector256.Create(lower, upper), Vector256.Create((ulong)threshold)).As<ulong, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> operator +(Simd256<T> left, Simd256<T> right) => new(left.value + right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> operator -(Simd256<T> left, Simd256<T> right) => new(left.value - right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> operator *(Simd256<T> left, Simd256<T> right) => new(left.value * right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> operator /(Simd256<T> left, Simd256<T> right) => new(left.value / right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> operator &(Simd256<T> left, Simd256<T> right) => new(left.value & right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> MultiplyAdd(Simd256<T> a, Simd256<T> b, Simd256<T> c) => typeof(T) == typeof(float)
        ? new(Vector256.MultiplyAddEstimate(a.value.AsSingle(), b.value.AsSingle(), c.value.AsSingle()).As<float, T>())
        : new(Vector256.MultiplyAddEstimate(a.value.AsDouble(), b.value.AsDouble(), c.value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> Abs(Simd256<T> value) => new(Vector256.Abs(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> Sqrt(Simd256<T> value) => new(Vector256.Sqrt(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> Reciprocal(Simd256<T> value) => new(Vector256<T>.One / value.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> Min(Simd256<T> left, Simd256<T> right) => new(Vector256.MinNative(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> Max(Simd256<T> left, Simd256<T> right) => new(Vector256.MaxNative(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> Round(Simd256<T> value) => typeof(T) == typeof(float)
        ? new(Vector256.Round(value.value.AsSingle()).As<float, T>())
        : new(Vector256.Round(value.value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> Scale(Simd256<T> value, Simd256<T> exponent)
    {
        // In two steps, so that neither factor leaves the normal range when the result is subnormal or at the edge of overflow.
        if (typeof(T) == typeof(float))
        {
            Vector256<int> whole = Vector256.ConvertToInt32Native(exponent.value.AsSingle());
            Vector256<int> half = whole >> 1;
            Vector256<float> first = ((half + Vector256.Create(127)) << 23).AsSingle();
            Vector256<float> second = ((whole - half + Vector256.Create(127)) << 23).AsSingle();
            return new((value.value.AsSingle() * first * second).As<float, T>());
        }
        else
        {
            Vector256<long> whole = Vector256.ConvertToInt64Native(exponent.value.AsDouble());
            Vector256<long> half = whole >> 1;
            Vector256<double> first = ((half + Vector256.Create(1023L)) << 52).AsDouble();
            Vector256<double> second = ((whole - half + Vector256.Create(1023L)) << 52).AsDouble();
            return new((value.value.AsDouble() * first * second).As<double, T>());
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> LessThan(Simd256<T> left, Simd256<T> right) => new(Vector256.LessThan(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> Select(Simd256<T> mask, Simd256<T> ifSet, Simd256<T> ifClear) =>
        new(Vector256.ConditionalSelect(mask.value, ifSet.value, ifClear.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256<T> CopySign(Simd256<T> magnitude, Simd256<T> sign) =>
        new(Vector256.ConditionalSelect(Vector256.Create(T.NegativeZero), sign.value, magnitude.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Simd256<T> value) => Vector256.Sum(value.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Largest(Simd256<T> value) =>
        Simd128<T>.Largest(new(Vector128.MaxNative(value.value.GetLower(), value.value.GetUpper())));

    private static Simd256<T> LoadLanes(T* source, int count, Simd256<T> fill)
    {
        Simd256<T> result = fill;
        for (int i = 0; i < count; i++) ((T*)&result)[i] = source[i];
        return result;
    }

    private static void StoreLanes(Simd256<T> value, T* destination, int count)
    {
        for (int i = 0; i < count; i++) destination[i] = ((T*)&value)[i];
    }

    private static Simd256<T> LoadMaskLanes(int* source, int count)
    {
        Simd256<T> result = default;
        for (int i = 0; i < count; i++) ((T*)&result)[i] = source[i] != 0 ? T.AllBitsSet : T.Zero;
        return result;
    }
}
