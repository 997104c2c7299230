using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoRA2.Native.Tensors.Cpu.Vectors;

/// <summary>A 128-bit register of <typeparamref name="T"/>.</summary>
internal readonly unsafe struct Simd128<T>(Vector128<T> value) : ISimd<Simd128<T>, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Vector128<T> value = value;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128<T>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> Create(T value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> Load(T* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Simd128<T> value, T* destination) => Vector128.Store(value.value, destination);

    public static Simd128<T> LoadPartial(T* source, int count, Simd128<T> fill) => LoadLanes(source, count, fill);

    public static void StorePartial(Simd128<T> value, T* destination, int count) => StoreLanes(value, destination, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> FirstLanes(int count) => typeof(T) == typeof(float)
        ? new(Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).As<int, T>())
        : new(Vector128.LessThan(Vector128<long>.Indices, Vector128.Create((long)count)).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> LoadMask(int* source) => typeof(T) == typeof(float)
        ? new((~Vector128.Equals(Vector128.Load(source), Vector128<int>.Zero)).As<int, T>())
        : new((~Vector128.Equals(Vector128.Create(source[0], (long)source[1]), Vector128<long>.Zero)).As<long, T>());

    public static Simd128<T> LoadMaskPartial(int* source, int count) => LoadMaskLanes(source, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> LoadAtLeast(uint* source, uint threshold) => typeof(T) == typeof(float)
        ? new(Vector128.GreaterThanOrEqual(Vector128.Load(source), Vector128.Create(threshold)).As<uint, T>())
        : new(Vector128.GreaterThanOrEqual(Vector128.Create(source[0], (ulong)source[1]), Vector128.Create((ulong)threshold)).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> operator +(Simd128<T> left, Simd128<T> right) => new(left.value + right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> operator -(Simd128<T> left, Simd128<T> right) => new(left.value - right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> operator *(Simd128<T> left, Simd128<T> right) => new(left.value * right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> operator /(Simd128<T> left, Simd128<T> right) => new(left.value / right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> operator &(Simd128<T> left, Simd128<T> right) => new(left.value & right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> MultiplyAdd(Simd128<T> a, Simd128<T> b, Simd128<T> c) => typeof(T) == typeof(float)
        ? new(Vector128.MultiplyAddEstimate(a.value.AsSingle(), b.value.AsSingle(), c.value.AsSingle()).As<float, T>())
        : new(Vector128.MultiplyAddEstimate(a.value.AsDouble(), b.value.AsDouble(), c.value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> Abs(Simd128<T> value) => new(Vector128.Abs(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> Sqrt(Simd128<T> value) => new(Vector128.Sqrt(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> Reciprocal(Simd128<T> value) => new(Vector128<T>.One / value.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> Min(Simd128<T> left, Simd128<T> right) => new(Vector128.MinNative(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> Max(Simd128<T> left, Simd128<T> right) => new(Vector128.MaxNative(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> Round(Simd128<T> value) => typeof(T) == typeof(float)
        ? new(Vector128.Round(value.value.AsSingle()).As<float, T>())
        : new(Vector128.Round(value.value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> Scale(Simd128<T> value, Simd128<T> exponent)
    {
        // In two steps, so that neither factor leaves the normal range when the result is subnormal or at the edge of overflow.
        if (typeof(T) == typeof(float))
        {
            Vector128<int> whole = Vector128.ConvertToInt32Native(exponent.value.AsSingle());
            Vector128<int> half = whole >> 1;
            Vector128<float> first = ((half + Vector128.Create(127)) << 23).AsSingle();
            Vector128<float> second = ((whole - half + Vector128.Create(127)) << 23).AsSingle();
            return new((value.value.AsSingle() * first * second).As<float, T>());
        }
        else
        {
            Vector128<long> whole = Vector128.ConvertToInt64Native(exponent.value.AsDouble());
            Vector128<long> half = whole >> 1;
            Vector128<double> first = ((half + Vector128.Create(1023L)) << 52).AsDouble();
            Vector128<double> second = ((whole - half + Vector128.Create(1023L)) << 52).AsDouble();
            return new((value.value.AsDouble() * first * second).As<double, T>());
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> LessThan(Simd128<T> left, Simd128<T> right) => new(Vector128.LessThan(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> Select(Simd128<T> mask, Simd128<T> ifSet, Simd128<T> ifClear) =>
        new(Vector128.ConditionalSelect(mask.value, ifSet.value, ifClear.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128<T> CopySign(Simd128<T> magnitude, Simd128<T> sign) =>
        new(Vector128.ConditionalSelect(Vector128.Create(T.NegativeZero), sign.value, magnitude.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Simd128<T> value) => Vector128.Sum(value.value);

    public static T Largest(Simd128<T> value)
    {
        T largest = value.value[0];
        for (int i = 1; i < Count; i++)
            largest = value.value[i] > largest ? value.value[i] : largest;
        return largest;
    }

    private static Simd128<T> LoadLanes(T* source, int count, Simd128<T> fill)
    {
        Simd128<T> result = fill;
        for (int i = 0; i < count; i++) ((T*)&result)[i] = source[i];
        return result;
    }

    private static void StoreLanes(Simd128<T> value, T* destination, int count)
    {
        for (int i = 0; i < count; i++) destination[i] = ((T*)&value)[i];
    }

    private static Simd128<T> LoadMaskLanes(int* source, int count)
    {
        Simd128<T> result = default;
        for (int i = 0; i < count; i++) ((T*)&result)[i] = source[i] != 0 ? T.AllBitsSet : T.Zero;
        return result;
    }
}
