using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// Rounds a matrix to bfloat16, or splits it into terms, in the order that <see cref="BlockCode"/> reads. A slice is up to 32 lanes: rows of
/// A (a strip) or columns of B (a panel). Its steps of 32 along the depth follow one another; a step is, for each term, two tiles of 16 lanes.
/// Lanes and depth are filled up with zeros.
/// </summary>
/// <remarks>
/// Terms: t₀ is the element rounded to nearest, ties to even; t₁ the rounded rest; and so on. Three terms hold a float32 exactly. A tile of
/// A has a row for each lane with the depth along it. A tile of B has a row for each pair along the depth, in which
/// every lane has its pair. NaN stays NaN; of an infinite element the further terms are NaN.
/// </remarks>
internal static unsafe class TilePacking<T, TSource>
    where T : unmanaged
    where TSource : unmanaged, ITileSource<T>
{
    /// <summary>Lanes of a tile; half of a slice.</summary>
    private const int Half = 16;

    /// <summary>Elements of one step along the depth.</summary>
    private const int Step = TileShape.Depth;

    private const int RowBytes = BlockCode.TileBytes / Half;

    /// <summary>Packs steps of a slice.</summary>
    /// <param name="source">The element of lane 0 at depth 0.</param>
    /// <param name="step">Elements between rows as they lie in memory.</param>
    /// <param name="depthFirst">Whether a row in memory is a lane, with the depth along it, rather than one element of every lane.</param>
    /// <param name="lanesFirst">Whether a tile has a row for each lane (A) rather than for each pair along the depth (B).</param>
    /// <param name="lanes">Lanes, 1 … 32.</param>
    /// <param name="depth">Elements of a lane.</param>
    /// <param name="terms">Terms, 1 … 3.</param>
    /// <param name="scale">Factor of every element.</param>
    /// <param name="destination">Where the first step goes.</param>
    [SkipLocalsInit]
    public static void Pack(
        T* source, nint step, bool depthFirst, bool lanesFirst, int lanes, nint depth, int terms, float scale, byte* destination)
    {
        bool plain = typeof(T) == typeof(float) && depthFirst && scale == 1;
        if (plain && lanesFirst && depth >= Step)
        {
            nint steps = depth / Step;
            BFloat16Code.Any.Round((float*)source, step * sizeof(float), lanes, steps, terms, destination);
            for (nint s = 0; s < steps * terms; s++, destination += BlockCode.GroupBytes)
                new Span<byte>(destination + lanes * RowBytes, (2 * Half - lanes) * RowBytes).Clear();
            source += steps * Step;
            depth -= steps * Step;
        }

        bool wide = SimdPaths.Are512;
        T* corner = stackalloc T[Half * Step];
        byte* block = stackalloc byte[3 * BlockCode.GroupBytes];
        for (nint p = 0; p < depth; p += Step, destination += terms * BlockCode.GroupBytes)
        {
            int length = (int)Math.Min(Step, depth - p);
            for (int half = 0; half < 2; half++)
            {
                byte* to = destination + half * BlockCode.TileBytes;
                int count = Math.Min(Half, lanes - half * Half);
                if (count <= 0)
                {
                    for (int t = 0; t < terms; t++) new Span<byte>(to + t * BlockCode.GroupBytes, BlockCode.TileBytes).Clear();
                    continue;
                }

                T* from = depthFirst ? source + half * Half * step + p : source + p * step + half * Half;
                nint fromStep = step;
                if (count < Half || length < Step)
                {
                    Copy(from, step, depthFirst ? count : length, depthFirst ? length : count, depthFirst ? Step : Half, corner);
                    from = corner;
                    fromStep = depthFirst ? Step : Half;
                }

                bool turned = depthFirst != lanesFirst;
                byte* tiles = turned ? block : to;
                if (plain) BFloat16Code.Any.Round((float*)from, fromStep * sizeof(float), Half, 1, terms, tiles);
                else if (Vector512.IsHardwareAccelerated && wide)
                {
                    if (depthFirst) Lanes(from, fromStep, terms, scale, tiles);
                    else Pairs(from, fromStep, terms, scale, tiles);
                }
                else if (depthFirst) LanesOf256(from, fromStep, terms, scale, tiles);
                else PairsOf256(from, fromStep, terms, scale, tiles);
                if (!turned) continue;
                for (int t = 0; t < terms; t++)
                {
                    float* rows = (float*)(tiles + t * BlockCode.GroupBytes), columns = (float*)(to + t * BlockCode.GroupBytes);
                    if (Vector512.IsHardwareAccelerated && wide) Transpose16.Run(rows, Half, Half, columns, Half, Half);
                    else Transpose16.RunOf256(rows, Half, columns, Half);
                }
            }
        }
    }

    /// <summary>16 lanes stored as rows of 32 elements: a row of a tile each.</summary>
    private static void Lanes(T* source, nint step, int terms, float scale, byte* tile)
    {
        Vector512<float> factor = Vector512.Create(scale);
        for (int i = 0; i < Half; i++, source += step, tile += RowBytes)
        {
            Vector512<float> first = TSource.Load(source) * factor, second = TSource.Load(source + Half) * factor;
            byte* to = tile;
            for (int t = 0; ; to += BlockCode.GroupBytes)
            {
                Vector512<uint> x = BFloat16Rounding.Nearest(first), y = BFloat16Rounding.Nearest(second);
                Avx512BW.PermuteVar32x16x2(x.AsUInt16(), UpperHalves, y.AsUInt16()).Store((ushort*)to);
                if (++t == terms) break;
                first -= (x & Vector512.Create(0xFFFF0000u)).AsSingle();
                second -= (y & Vector512.Create(0xFFFF0000u)).AsSingle();
            }
        }
    }

    /// <summary>32 rows of 16 lanes: a row of a tile for each pair of them.</summary>
    private static void Pairs(T* source, nint step, int terms, float scale, byte* tile)
    {
        Vector512<float> factor = Vector512.Create(scale);
        for (int i = 0; i < Half; i++, source += 2 * step, tile += RowBytes)
        {
            Vector512<float> first = TSource.Load(source) * factor, second = TSource.Load(source + step) * factor;
            byte* to = tile;
            for (int t = 0; ; to += BlockCode.GroupBytes)
            {
                Vector512<uint> x = BFloat16Rounding.Nearest(first), y = BFloat16Rounding.Nearest(second) & Vector512.Create(0xFFFF0000u);
                ((x >>> 16) | y).Store((uint*)to);
                if (++t == terms) break;
                first -= (x & Vector512.Create(0xFFFF0000u)).AsSingle();
                second -= y.AsSingle();
            }
        }
    }

    /// <summary><see cref="Lanes"/> on vectors of 256 bits.</summary>
    private static void LanesOf256(T* source, nint step, int terms, float scale, byte* tile)
    {
        Vector256<float> factor = Vector256.Create(scale);
        for (int i = 0; i < Half; i++, source += step, tile += RowBytes)
        {
            for (int part = 0; part < 2; part++)
            {
                Vector256<float> first = TSource.Load8(source + part * Half) * factor, second = TSource.Load8(source + part * Half + Half / 2) * factor;
                byte* to = tile + part * (RowBytes / 2);
                for (int t = 0; ; to += BlockCode.GroupBytes)
                {
                    Vector256<uint> x = BFloat16Rounding.Nearest(first), y = BFloat16Rounding.Nearest(second);
                    Vector256.Narrow(x >>> 16, y >>> 16).Store((ushort*)to);
                    if (++t == terms) break;
                    first -= (x & Vector256.Create(0xFFFF0000u)).AsSingle();
                    second -= (y & Vector256.Create(0xFFFF0000u)).AsSingle();
                }
            }
        }
    }

    /// <summary><see cref="Pairs"/> on vectors of 256 bits.</summary>
    private static void PairsOf256(T* source, nint step, int terms, float scale, byte* tile)
    {
        Vector256<float> factor = Vector256.Create(scale);
        for (int i = 0; i < Half; i++, source += 2 * step, tile += RowBytes)
        {
            for (int part = 0; part < 2; part++)
            {
                T* from = source + part * (Half / 2);
                Vector256<float> first = TSource.Load8(from) * factor, second = TSource.Load8(from + step) * factor;
                byte* to = tile + part * (RowBytes / 2);
                for (int t = 0; ; to += BlockCode.GroupBytes)
                {
                    Vector256<uint> x = BFloat16Rounding.Nearest(first), y = BFloat16Rounding.Nearest(second) & Vector256.Create(0xFFFF0000u);
                    ((x >>> 16) | y).Store((uint*)to);
                    if (++t == terms) break;
                    first -= (x & Vector256.Create(0xFFFF0000u)).AsSingle();
                    second -= y.AsSingle();
                }
            }
        }
    }

    private static Vector512<ushort> UpperHalves => Vector512.Create(
        (ushort)1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63);

    /// <summary>Copies a corner of a matrix into one of 16 × 32 (or 32 × 16) filled up with zeros.</summary>
    private static void Copy(T* source, nint step, int rows, int columns, int cornerStep, T* corner)
    {
        new Span<T>(corner, Half * Step).Clear();
        for (int i = 0; i < rows; i++) new Span<T>(source + i * step, columns).CopyTo(new Span<T>(corner + i * cornerStep, columns));
    }
}
