namespace LoRA2.Native.Cuda.Kernels;

/// <summary>
/// A row of up to <see cref="Most"/> columns in the registers of a warp: four number 32 i + lane is field i of the lane. Written out, for an array would lie in
/// local memory. Fours past the row's end are <c>absent</c> everywhere.
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

    /// <summary>What a function of a four, whose number in the row is given, makes of each.</summary>
    public static WarpRow Each<T>(T f, uint lane, uint vectors)
        where T : struct, IRowFour => new()
        {
            V0 = Of(f, lane, vectors),
            V1 = Of(f, lane + 32, vectors),
            V2 = Of(f, lane + 64, vectors),
            V3 = Of(f, lane + 96, vectors),
            V4 = Of(f, lane + 128, vectors),
            V5 = Of(f, lane + 160, vectors),
            V6 = Of(f, lane + 192, vectors),
            V7 = Of(f, lane + 224, vectors),
        };

    /// <summary>The row with every element made of itself and its four's number; absent ones stay as they are.</summary>
    public static WarpRow Each<T>(T f, WarpRow row, uint lane, uint vectors)
        where T : struct, IRowMap => new()
        {
            V0 = Of(f, row.V0, lane, vectors),
            V1 = Of(f, row.V1, lane + 32, vectors),
            V2 = Of(f, row.V2, lane + 64, vectors),
            V3 = Of(f, row.V3, lane + 96, vectors),
            V4 = Of(f, row.V4, lane + 128, vectors),
            V5 = Of(f, row.V5, lane + 160, vectors),
            V6 = Of(f, row.V6, lane + 192, vectors),
            V7 = Of(f, row.V7, lane + 224, vectors),
        };

    /// <summary>The sum of this lane's elements.</summary>
    public static float Sum(WarpRow row) =>
        Sum(row.V0) + Sum(row.V1) + (Sum(row.V2) + Sum(row.V3)) + (Sum(row.V4) + Sum(row.V5) + (Sum(row.V6) + Sum(row.V7)));

    private static float Sum(Float4 v) => v.X + v.Y + (v.Z + v.W);

    private static Float4 Of<T>(T f, uint index, uint vectors)
        where T : struct, IRowFour => index < vectors ? f.Of(index) : default;

    private static Float4 Of<T>(T f, Float4 v, uint index, uint vectors)
        where T : struct, IRowMap => index < vectors ? f.Of(v, index) : v;
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
