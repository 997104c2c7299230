using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Rows;

/// <summary>
/// A row of up to <see cref="Most"/> columns in the registers of a warp: four number 32 i + lane is field i of the lane. Written out, for an array would lie in
/// local memory. Fours past the row's end are absent: they hold whatever suits the next step.
/// </summary>
internal struct WarpRow
{
    /// <summary>The most columns, a multiple of 4.</summary>
    public const int Most = 1024;

    public Float4 V0;
    public Float4 V1;
    public Float4 V2;
    public Float4 V3;
    public Float4 V4;
    public Float4 V5;
    public Float4 V6;
    public Float4 V7;

    /// <summary>The row whose fours a function makes of their numbers.</summary>
    public static WarpRow Each<T>(T f, uint lane, uint vectors, float absent)
        where T : struct, IRowFour => new()
        {
            V0 = Of(f, lane, vectors, absent),
            V1 = Of(f, lane + 32, vectors, absent),
            V2 = Of(f, lane + 64, vectors, absent),
            V3 = Of(f, lane + 96, vectors, absent),
            V4 = Of(f, lane + 128, vectors, absent),
            V5 = Of(f, lane + 160, vectors, absent),
            V6 = Of(f, lane + 192, vectors, absent),
            V7 = Of(f, lane + 224, vectors, absent),
        };

    /// <summary>The row whose fours a function makes of another row's and their numbers.</summary>
    public static WarpRow Each<T>(T f, WarpRow row, uint lane, uint vectors, float absent)
        where T : struct, IRowMap => new()
        {
            V0 = Of(f, row.V0, lane, vectors, absent),
            V1 = Of(f, row.V1, lane + 32, vectors, absent),
            V2 = Of(f, row.V2, lane + 64, vectors, absent),
            V3 = Of(f, row.V3, lane + 96, vectors, absent),
            V4 = Of(f, row.V4, lane + 128, vectors, absent),
            V5 = Of(f, row.V5, lane + 160, vectors, absent),
            V6 = Of(f, row.V6, lane + 192, vectors, absent),
            V7 = Of(f, row.V7, lane + 224, vectors, absent),
        };

    /// <summary>Gives every four that is there to <paramref name="f"/>.</summary>
    public static void Store<T>(T f, WarpRow row, uint lane, uint vectors)
        where T : struct, IRowStore
    {
        if (lane < vectors) f.Put(row.V0, lane);
        if (lane + 32 < vectors) f.Put(row.V1, lane + 32);
        if (lane + 64 < vectors) f.Put(row.V2, lane + 64);
        if (lane + 96 < vectors) f.Put(row.V3, lane + 96);
        if (lane + 128 < vectors) f.Put(row.V4, lane + 128);
        if (lane + 160 < vectors) f.Put(row.V5, lane + 160);
        if (lane + 192 < vectors) f.Put(row.V6, lane + 192);
        if (lane + 224 < vectors) f.Put(row.V7, lane + 224);
    }

    /// <summary>The same with the fours of two rows.</summary>
    public static void Store<T>(T f, WarpRow a, WarpRow b, uint lane, uint vectors)
        where T : struct, IRowPairStore
    {
        if (lane < vectors) f.Put(a.V0, b.V0, lane);
        if (lane + 32 < vectors) f.Put(a.V1, b.V1, lane + 32);
        if (lane + 64 < vectors) f.Put(a.V2, b.V2, lane + 64);
        if (lane + 96 < vectors) f.Put(a.V3, b.V3, lane + 96);
        if (lane + 128 < vectors) f.Put(a.V4, b.V4, lane + 128);
        if (lane + 160 < vectors) f.Put(a.V5, b.V5, lane + 160);
        if (lane + 192 < vectors) f.Put(a.V6, b.V6, lane + 192);
        if (lane + 224 < vectors) f.Put(a.V7, b.V7, lane + 224);
    }

    /// <summary>The sum of this lane's elements.</summary>
    public static float Sum(WarpRow row) =>
        Sum(row.V0) + Sum(row.V1) + (Sum(row.V2) + Sum(row.V3)) + (Sum(row.V4) + Sum(row.V5) + (Sum(row.V6) + Sum(row.V7)));

    /// <summary>The sum of the products of this lane's elements of two rows.</summary>
    public static float Dot(WarpRow a, WarpRow b) =>
        Dot(a.V0, b.V0) + Dot(a.V1, b.V1) + (Dot(a.V2, b.V2) + Dot(a.V3, b.V3)) + (Dot(a.V4, b.V4) + Dot(a.V5, b.V5) + (Dot(a.V6, b.V6) + Dot(a.V7, b.V7)));

    /// <summary>The largest of this lane's elements that is a number.</summary>
    public static float Max(WarpRow row)
    {
        float low = IntrinsicMath.Max(IntrinsicMath.Max(Max(row.V0), Max(row.V1)), IntrinsicMath.Max(Max(row.V2), Max(row.V3)));
        float high = IntrinsicMath.Max(IntrinsicMath.Max(Max(row.V4), Max(row.V5)), IntrinsicMath.Max(Max(row.V6), Max(row.V7)));
        return IntrinsicMath.Max(low, high);
    }

    private static float Sum(Float4 v) => v.X + v.Y + (v.Z + v.W);

    private static float Dot(Float4 a, Float4 b) => (a.X * b.X) + (a.Y * b.Y) + ((a.Z * b.Z) + (a.W * b.W));

    private static float Max(Float4 v) => IntrinsicMath.Max(IntrinsicMath.Max(v.X, v.Y), IntrinsicMath.Max(v.Z, v.W));

    private static Float4 Of<T>(T f, uint index, uint vectors, float absent)
        where T : struct, IRowFour => index < vectors ? f.Of(index) : new Float4(absent, absent, absent, absent);

    private static Float4 Of<T>(T f, Float4 v, uint index, uint vectors, float absent)
        where T : struct, IRowMap => index < vectors ? f.Of(v, index) : new Float4(absent, absent, absent, absent);
}

/// <summary>What a row's four of a number is.</summary>
internal interface IRowFour
{
    Float4 Of(uint index);
}

/// <summary>What becomes of a row's four.</summary>
internal interface IRowMap
{
    Float4 Of(Float4 v, uint index);
}

/// <summary>Where a row's four goes.</summary>
internal interface IRowStore
{
    void Put(Float4 v, uint index);
}

/// <summary>Where what is made of two rows' fours goes.</summary>
internal interface IRowPairStore
{
    void Put(Float4 a, Float4 b, uint index);
}
