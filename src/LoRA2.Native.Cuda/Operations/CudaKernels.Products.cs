using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using TileLaunch = LoRA2.Native.Cuda.Launching.GemmTile128X128KLaunch;

namespace LoRA2.Native.Cuda.Operations;

/// <content>
/// Matrix products. Big ones run on the tensor cores: the left operand is rounded in a pass of its own, since read as float32 it would be fetched twice as
/// wide once for every column of tiles, and the same pass turns it where it is transposed; a frozen right operand is rounded once. Thin ones and small ones are computed in float32.
/// </content>
internal sealed unsafe partial class CudaKernels
{
    /// <summary>The most rows and columns of a tile.</summary>
    private const int MostTileRows = 128, MostTileColumns = 256;

    private const int MostThin = 16;
    private const int LeastOnTensorCores = 64;

    /// <summary>Products that have fewer tiles are split along k; from the shape alone, since it decides how sums are grouped.</summary>
    private const int ManyTiles = 128;

    /// <summary>Held while a frozen operand is rounded, which is done once.</summary>
    private readonly Lock rounding = new();

    /// <summary>The tile of every product on the tensor cores, for tests; null chooses by shape.</summary>
    internal (int Rows, int Columns)? ForcedTile { get; set; }

    private Tile Small => new(launch.Gemm.Tile64X64N, launch.Gemm.Tile64X64K, 64, 64, 128);

    private Tile Middle => new(launch.Gemm.Tile128X128N, launch.Gemm.Tile128X128K, 128, 128, 128);

    private Tile Wide => new(launch.Gemm.Tile128X256N, launch.Gemm.Tile128X256K, MostTileRows, MostTileColumns, 256);

    public override void MatMul(
        Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, double alpha = 1, double beta = 0, Epilogue epilogue = default, Precision precision = Precision.Float32)
    {
        if (epilogue is { Activated: { } activated, Activation: not Activation.Gelu })
        {
            // The products' own epilogue has gelu alone: one more there costs all of them registers.
            MatMul(a, transposeA, b, transposeB, c, alpha, beta, epilogue with { Activated = null }, precision);
            Activate(epilogue.Activation, c, activated);
            return;
        }

        RequireFloat32("MatMul", a, c, epilogue.Bias, epilogue.Left, epilogue.Right, epilogue.Residual, epilogue.Activated, epilogue.Down);
        if (b.DType != DType.BFloat16 || precision != Precision.BFloat16) RequireFloat32("MatMul", b);
        (int m, int n) = (c.Shape.Rows, c.Shape.Columns);
        int k = transposeA ? a.Shape.Rows : a.Shape.Columns;
        bool single = b.DType == DType.Float32, small = k == 0 || alpha == 0 || (single && precision == Precision.Float32 && Math.Min(Math.Min(m, n), k) < LeastOnTensorCores);
        if (epilogue.Down is not null && (small || m == 0 || n == 0 || transposeA || k % 4 != 0 || !IsAligned(a) || epilogue.Left!.Shape.Columns is 0 or > MostThin))
        {
            MatMul(a, transposeA, epilogue.Down, epilogue.DownTransposed, epilogue.Left!);
            epilogue = epilogue with { Down = null };
        }

        if (m == 0 || n == 0) return;
        if (alpha == 0) (alpha, k) = (1, 0);
        bool lowRank = epilogue is { Left: not null, Right: not null } && epilogue.Left.Shape.Columns > 0;
        var output = new ProductOutput(c, epilogue, (float)alpha, (float)beta, m, n);
        if (single && k > 0 && !lowRank && epilogue.Activated is null && Thin(a, transposeA, b, transposeB, output, k)) return;
        if (small) Single(a, transposeA, b, transposeB, output, k, epilogue, alpha, 1);
        else OnTensorCores(a, transposeA, b, transposeB, output, k, epilogue, alpha, precision);
    }

    public override void BatchedMatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c)
    {
        RequireFloat32("BatchedMatMul", a, b, c);
        (int m, int n) = (c.Shape[^2], c.Shape[^1]);
        if (c.Count == 0) return;
        var output = new ProductOutput(c, default, 1, 0, m, n);
        Single(a, transposeA, b, transposeB, output, transposeA ? a.Shape[^2] : a.Shape[^1], default, 1, c.Count / (m * n));
    }

    /// <summary>Bytes of an element of the rounded operands.</summary>
    private static long Bytes(long elements) => 2 * elements;

    private static int RoundUp(int count, int multiple) => (count + multiple - 1) / multiple * multiple;

    private static bool IsAligned(Tensor? tensor) => tensor is null || (nint)tensor.Address % 16 == 0;

    /// <summary>A product in float32 on the ordinary units, of one or many matrices.</summary>
    private void Single(Tensor a, bool transposeA, Tensor b, bool transposeB, in ProductOutput output, int k, in Epilogue epilogue, double alpha, int batch)
    {
        (int m, int n) = (output.Rows, output.Columns);
        int rank = epilogue is { Left: not null, Right: not null } ? epilogue.Left.Shape.Columns : 0;
        int tiles = (m + 63) / 64 * ((n + 63) / 64);
        launch.GemmSingle.Multiply(
            tiles * batch,
            256,
            a, transposeA ? 1 : a.Shape.Columns, transposeA ? a.Shape.Columns : 1, batch == 1 ? 0 : m * k,
            b, transposeB ? 1 : b.Shape.Columns, transposeB ? b.Shape.Columns : 1, batch == 1 ? 0 : k * n,
            k,
            epilogue.Left, epilogue.Right, epilogue.RightTransposed ? 1 : n, epilogue.RightTransposed ? rank : 1, rank, (float)(epilogue.Scale / alpha),
            output.C, output.Bias, output.Residual, output.Activated, output.Flags, output.Alpha, output.Beta, m, n);
    }

    /// <summary>A product with few columns (or, turned, few rows), where one of the kernels for those fits.</summary>
    private bool Thin(Tensor a, bool transposeA, Tensor b, bool transposeB, in ProductOutput output, int k)
    {
        (int m, int n) = (output.Rows, output.Columns);
        int yRow = transposeB ? 1 : b.Shape.Columns, yColumn = transposeB ? b.Shape.Columns : 1;
        int turnedRow = transposeA ? a.Shape.Columns : 1, turnedColumn = transposeA ? 1 : a.Shape.Columns;
        if (n <= MostThin && !transposeA) AlongRows(a, b, yRow, yColumn, m, n, turned: 0, output, k);
        else if (n <= MostThin) AlongColumns(a, b, yRow, yColumn, m, n, turned: 0, output, k);
        else if (m <= MostThin && transposeB) AlongRows(b, a, turnedRow, turnedColumn, n, m, turned: 1, output, k);
        else if (m <= MostThin) AlongColumns(b, a, turnedRow, turnedColumn, n, m, turned: 1, output, k);
        else return false;
        return true;
    }

    private void AlongRows(Tensor x, Tensor y, int yRow, int yColumn, int rows, int columns, int turned, in ProductOutput output, int k) => launch.GemmThin.AlongRows(
        new Grid3((rows + 31) / 32, (columns + 7) / 8),
        256,
        x, k, k % 4 == 0 && IsAligned(x) ? 1 : 0, y, yRow, yColumn, rows, columns, turned,
        output.C, output.Bias, output.Residual, output.Activated, output.Flags, output.Alpha, output.Beta, output.Rows, output.Columns);

    private void AlongColumns(Tensor x, Tensor y, int yRow, int yColumn, int rows, int columns, int turned, in ProductOutput output, int k)
    {
        ThinParts parts = PartsAlongColumns(x, y, yRow, yColumn, rows, columns, k);
        launch.GemmThin.AddParts(
            ElementBlocks(rows * columns, 0),
            256,
            parts.Storage, parts.Count, rows, columns, parts.Columns, turned,
            output.C, output.Bias, output.Residual, output.Activated, output.Flags, output.Alpha, output.Beta, output.Rows, output.Columns);
        parts.Storage.Release();
    }

    /// <summary>The sums of parts of k, each by columns.</summary>
    private ThinParts PartsAlongColumns(Tensor x, Tensor y, int yRow, int yColumn, int rows, int columns, int k)
    {
        int depth = RoundUp(Math.Max(64, (k + 63) / 64), 64), count = (k + depth - 1) / depth, padded = RoundUp(columns, 8);
        Storage parts = device.Memory.Rent((nuint)count * (nuint)padded * (nuint)rows * sizeof(float));
        launch.GemmThin.AlongColumns(new Grid3((rows + 127) / 128, padded / 8, count), 128, x, k, depth, y, yRow, yColumn, rows, columns, parts);
        return new ThinParts(parts, count, padded);
    }

    private void OnTensorCores(Tensor a, bool transposeA, Tensor b, bool transposeB, in ProductOutput output, int k, in Epilogue epilogue, double alpha, Precision precision)
    {
        (int m, int n) = (output.Rows, output.Columns);
        SplitTerms terms = SplitTerms.Of(precision), lowTerms = SplitTerms.OfLowRank(precision);
        int rank = epilogue is { Left: not null, Right: not null } ? epilogue.Left.Shape.Columns : 0;
        int depth = RoundUp(k, 32), lowDepth = RoundUp(rank * lowTerms.Products, 32), step = (terms.Planes * depth) + lowDepth;

        Storage left = device.Memory.Rent((nuint)Bytes((long)RoundUp(m, 128) * step));
        Storage? low = null;
        int lowStep = 0;
        if (rank > 0)
        {
            lowStep = transposeB ? lowDepth : RoundUp(n, 8);
            low = device.Memory.Rent((nuint)Bytes(transposeB ? (long)RoundUp(n, 256) * lowDepth : ((long)lowDepth * lowStep) + 256));
            var factors = new LowRankFactors(
                epilogue.Left, (float)(epilogue.Scale / alpha), epilogue.Right, epilogue.RightTransposed ? rank : 1, epilogue.RightTransposed ? 1 : n,
                rank, lowTerms, lowDepth, low, transposeB ? lowStep : 1, transposeB ? 1 : lowStep);
            if (transposeA)
            {
                RoundTransposed(a, k, m, left, step, depth, terms.Planes);
                Terms(factors, m, n, (Address)left + Bytes(terms.Planes * depth), step);
            }
            else if (epilogue.Down is { } down) RoundThrough(a, left, step, terms.Planes, down, epilogue.DownTransposed, factors, n);
            else RoundWithTerms(a, left, step, terms.Planes, m, factors, n);
        }
        else if (transposeA) RoundTransposed(a, k, m, left, step, depth, terms.Planes);
        else Round(a, left, step, terms.Planes, m);

        RoundedOperand right = Rounded(b, precision, terms.Planes);
        int tiles = depth / 32, total = (terms.Products * tiles) + (lowDepth / 32), splits = SplitsOf(m, n, total);
        Storage? parts = splits == 1 ? null : device.Memory.Rent((nuint)splits * (nuint)m * (nuint)n * sizeof(float));
        ProductOutput direct = parts is null ? output : output.ToParts(parts);
        Tile tile = TileOf(m, n, splits);
        TileLaunch multiply = transposeB ? tile.OfN : tile.OfK;
        multiply(
            new Grid3((m + tile.Rows - 1) / tile.Rows * ((n + tile.Columns - 1) / tile.Columns), 1, splits),
            tile.Threads,
            left, Bytes(step), Bytes(depth), Bytes(terms.Planes * depth), right.Address, right.Row, right.Plane, low, Bytes(lowStep), terms.Codes, terms.Products, tiles, lowDepth / 32,
            direct.C, direct.Bias, direct.Residual, direct.Activated, direct.Flags, direct.Alpha, direct.Beta, m, n);
        if (parts is not null)
        {
            launch.GemmSplit.Finish(
                ElementBlocks(m * n, 0), 256,
                parts, splits, output.C, output.Bias, output.Residual, output.Activated, output.Flags, output.Alpha, output.Beta, m, n);
            parts.Release();
        }

        if (!b.IsConstant) right.Dispose();
        low?.Release();
        left.Release();
    }

    /// <summary>The right operand in bfloat16; a frozen one is rounded once.</summary>
    private RoundedOperand Rounded(Tensor b, Precision precision, int planes)
    {
        if (!b.IsConstant) return Round(b, precision, planes);
        lock (rounding)
        {
            IDisposable?[] cache = b.BackendCache ??= new IDisposable?[1];
            if (cache[0] is RoundedOperand found && found.Precision == precision) return found;
            cache[0]?.Dispose();
            return RoundApart(b, precision, planes, cache);
        }
    }

    private RoundedOperand RoundApart(Tensor b, Precision precision, int planes, IDisposable?[] cache)
    {
        RoundedOperand rounded = null!;
        device.Apart(() => rounded = Round(b, precision, planes));
        cache[0] = rounded;
        return rounded;
    }

    private RoundedOperand Round(Tensor b, Precision precision, int planes)
    {
        (int rows, int columns) = (b.Shape.Rows, b.Shape.Columns);
        int plane = RoundUp(columns, 32), step = planes * plane;
        // Whole tiles of either orientation: nothing is read that is not there.
        if (b.DType == DType.BFloat16 && rows % MostTileColumns == 0 && columns % MostTileColumns == 0 && IsAligned(b)) return new RoundedOperand(null, b, precision, Bytes(step), Bytes(plane));
        Storage storage = device.Memory.Rent((nuint)Bytes(((long)RoundUp(rows, 256) * step) + 256));
        if (b.DType == DType.Float32) Round(b, storage, step, planes, RoundUp(rows, 32));
        else launch.GemmPack.Copy(ElementBlocks(RoundUp(rows, 32) * plane, 0), 256, b, rows, columns, storage, step, RoundUp(rows, 32), plane);
        return new RoundedOperand(storage, storage, precision, Bytes(step), Bytes(plane));
    }

    private void Round(Tensor x, Storage to, int step, int planes, int paddedRows)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        int padded = RoundUp(columns, 32);
        launch.GemmPack.Round(
            ElementBlocks(paddedRows * padded / 8, 0), 256,
            x, rows, columns, columns % 4 == 0 && IsAligned(x) ? 1 : 0, to, step, padded, planes, paddedRows, padded);
    }

    private void RoundTransposed(Tensor x, int rows, int columns, Storage to, int step, int depth, int planes) =>
        launch.GemmPack.RoundTransposed(new Grid3(depth / 32, (columns + 31) / 32), 256, x, rows, columns, to, step, depth, planes);

    private void Terms(in LowRankFactors factors, int rows, int columns, Address toLeft, int toLeftRow) => launch.GemmPack.Terms(
        ElementBlocks(Math.Max(rows, columns) * factors.Width, 0), 256,
        factors.Left, rows, factors.Scale, factors.Right, factors.RightRow, factors.RightColumn, columns, factors.Rank, factors.Terms.Codes, factors.Terms.Products, factors.Width,
        toLeft, toLeftRow, factors.To, factors.ToRow, factors.ToColumn);

    private void RoundWithTerms(Tensor x, Storage to, int step, int planes, int paddedRows, in LowRankFactors factors, int rightRows)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        int padded = RoundUp(columns, 32);
        launch.GemmPack.RoundWithTerms(
            ElementBlocks(Math.Max(paddedRows * padded / 8, rightRows * factors.Width), 0), 256,
            x, rows, columns, columns % 4 == 0 && IsAligned(x) ? 1 : 0, to, step, padded, planes, paddedRows, padded,
            factors.Left, factors.Scale, factors.Right, factors.RightRow, factors.RightColumn, rightRows, factors.Rank, factors.Terms.Codes, factors.Terms.Products, factors.Width,
            factors.To, factors.ToRow, factors.ToColumn);
    }

    private void RoundThrough(Tensor x, Storage to, int step, int planes, Tensor down, bool transposed, in LowRankFactors factors, int rightRows)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        int padded = RoundUp(columns, 32);
        launch.GemmPack.RoundThrough(
            Blocks(rows, 32), 256,
            x, rows, columns, to, step, padded, planes, padded,
            down, transposed ? 1 : factors.Rank, transposed ? columns : 1, factors.Left, factors.Scale, factors.Right, factors.RightRow, factors.RightColumn, rightRows, factors.Rank,
            factors.Terms.Codes, factors.Terms.Products, factors.Width, factors.To, factors.ToRow, factors.ToColumn);
    }

    private static int SplitsOf(int m, int n, int total)
    {
        int tiles = (m + 127) / 128 * ((n + 127) / 128);
        return tiles >= ManyTiles ? 1 : Math.Clamp(Math.Min(2 * ManyTiles / tiles, total / 16), 1, 32);
    }

    /// <summary>
    /// The tile with the shortest time by this count: waves over the multiprocessors × work of a tile. An element's sum has the same order in all of them, so
    /// that no bit depends on it.
    /// </summary>
    private Tile TileOf(int m, int n, int splits)
    {
        long Waves(int rows, int columns, int atOnce) =>
            (((long)(m + rows - 1) / rows * ((n + columns - 1) / columns) * splits) + ((long)atOnce * driver.Multiprocessors) - 1) / ((long)atOnce * driver.Multiprocessors);
        long wide = Waves(128, 256, 1) * 9 * 4, middle = Waves(128, 128, 2) * 10 * 4, small = Waves(64, 64, 3) * 13 * 3 / 2;
        if (ForcedTile is { } forced) return forced == (Small.Rows, Small.Columns) ? Small : forced == (Middle.Rows, Middle.Columns) ? Middle : Wide;
        if (small < middle && small < wide) return Small;
        return wide < middle && driver.SharedMemoryPerBlock >= GemmLaunchers.Tile128X256NSharedMemory ? Wide : Middle;
    }

    /// <summary>The factors of a low-rank term, with the right one's strides, and where the right one's terms go.</summary>
    private readonly record struct LowRankFactors(
        Address Left, float Scale, Address Right, int RightRow, int RightColumn, int Rank, SplitTerms Terms, int Width, Address To, int ToRow, int ToColumn);

    /// <summary>Sums of parts of a thin product; of each part so many columns one after the other.</summary>
    private readonly record struct ThinParts(Storage Storage, int Count, int Columns);

    /// <summary>A tile's kernels, for a right operand that is n × k and for one that is k × n; its size, and the threads of a block.</summary>
    private readonly record struct Tile(TileLaunch OfN, TileLaunch OfK, int Rows, int Columns, int Threads);

    /// <summary>What the kernels of products take about their result.</summary>
    private readonly struct ProductOutput
    {
        public ProductOutput(Tensor c, in Epilogue epilogue, float alpha, float beta, int rows, int columns)
        {
            C = c;
            Bias = epilogue.Bias;
            Residual = epilogue.Residual;
            Activated = epilogue.Activated;
            bool vectors = columns % 4 == 0 && IsAligned(c) && IsAligned(epilogue.Bias) && IsAligned(epilogue.Residual) && IsAligned(epilogue.Activated);
            Flags = (epilogue.Bias is not null ? 1 : 0) | (epilogue.Residual is not null ? 2 : 0) | (epilogue.Activated is not null ? 4 : 0) | (vectors ? 8 : 0);
            Alpha = alpha;
            Beta = beta;
            Rows = rows;
            Columns = columns;
        }

        public Address C { get; private init; }

        public Address Bias { get; }

        public Address Residual { get; }

        public Address Activated { get; }

        public int Flags { get; private init; }

        public float Alpha { get; private init; }

        public float Beta { get; private init; }

        public int Rows { get; }

        public int Columns { get; }

        /// <summary>The bare sums of parts of k, one matrix after the other.</summary>
        public ProductOutput ToParts(Address parts) => this with { C = parts, Flags = Columns % 4 == 0 ? 8 : 0, Alpha = 1, Beta = 0 };
    }
}
