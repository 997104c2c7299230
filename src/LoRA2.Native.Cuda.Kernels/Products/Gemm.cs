using ILGPU;
using ILGPU.Runtime.Cuda;

namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>
/// c = alpha · a b + beta · c + …, of operands rounded to bfloat16 (<see cref="GemmPack"/>), on the tensor cores; see <see cref="TensorCoreTile"/>. Operand a is
/// stored as m × k; b as n × k by the kernels whose name ends with N, and as k × n by those that end with K. Rows are padded to whole tiles in memory (what is
/// there beyond m and n is read and not used) and k to a multiple of 32 with zeros, so that the inner loop asks for no bounds.
/// <para>
/// An operand may be a sum of planes: then the product is a sum of <c>products</c> products of two planes each, which <c>codes</c> names in order, 4 bits each (a's
/// plane in the lower two). After them comes the low-rank term, <c>lowTiles</c> more tiles: columns of a at <c>aLow</c>, and of b in a matrix of its own. Steps are
/// bytes. The grid is tiles × splits of k; a split of several writes its own m × n sums to c + its number · m n.
/// </para>
/// </summary>
[KernelFamily]
internal static class Gemm
{
    /// <summary>Four stages of 128 + 256 rows of 64 bytes.</summary>
    private const int WideShared = 4 * (128 + 256) * 64;

    /// <summary>Tiles of 64 × 64, 128 threads; b is n × k.</summary>
    public static void Tile64X64N(
        nint a, long aRow, long aPlane, long aLow, nint b, long bRow, long bPlane, nint low, long lowRow, int codes, int products, int tiles, int lowTiles,
        nint c, nint bias, nint residual, nint activated, int flags, float alpha, float beta, int m, int n)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(8192);
        var place = new TilePlace(m, n, 64, 64, (products * tiles) + lowTiles, tiles, products);
        CudaAsm.Emit(TensorCoreTile.Tile64X64 + TensorCoreTile.RowsOfN + TensorCoreTile.Declare);
        CudaAsm.Emit(TensorCoreTile.Operands, TileFinish.AddressOf(shared), a, aRow, aPlane, aLow, b, bRow, bPlane, low, lowRow);
        CudaAsm.Emit(TensorCoreTile.Multiply, place.Row, place.Column, codes, products, tiles, lowTiles, place.Product, place.Skip, place.Count);
        var output = new ProductOutput(c, TilePlace.FirstOf(m, n), bias, residual, activated, flags, alpha, beta, m, n);
        for (int half = 0; half < 2; half++)
        {
            CudaAsm.Emit(TensorCoreTile.Stage, half);
            TileFinish.Store(shared, output, (place.Row * 64) + (half * 32), place.Column * 64, 32, 64, 128);
        }
    }

    /// <summary>Tiles of 64 × 64, 128 threads; b is k × n.</summary>
    public static void Tile64X64K(
        nint a, long aRow, long aPlane, long aLow, nint b, long bRow, long bPlane, nint low, long lowRow, int codes, int products, int tiles, int lowTiles,
        nint c, nint bias, nint residual, nint activated, int flags, float alpha, float beta, int m, int n)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(8192);
        var place = new TilePlace(m, n, 64, 64, (products * tiles) + lowTiles, tiles, products);
        CudaAsm.Emit(TensorCoreTile.Tile64X64 + TensorCoreTile.RowsOfK + TensorCoreTile.Declare);
        CudaAsm.Emit(TensorCoreTile.Operands, TileFinish.AddressOf(shared), a, aRow, aPlane, aLow, b, bRow, bPlane, low, lowRow);
        CudaAsm.Emit(TensorCoreTile.Multiply, place.Row, place.Column, codes, products, tiles, lowTiles, place.Product, place.Skip, place.Count);
        var output = new ProductOutput(c, TilePlace.FirstOf(m, n), bias, residual, activated, flags, alpha, beta, m, n);
        for (int half = 0; half < 2; half++)
        {
            CudaAsm.Emit(TensorCoreTile.Stage, half);
            TileFinish.Store(shared, output, (place.Row * 64) + (half * 32), place.Column * 64, 32, 64, 128);
        }
    }

    /// <summary>Tiles of 128 × 128, 128 threads; b is n × k.</summary>
    public static void Tile128X128N(
        nint a, long aRow, long aPlane, long aLow, nint b, long bRow, long bPlane, nint low, long lowRow, int codes, int products, int tiles, int lowTiles,
        nint c, nint bias, nint residual, nint activated, int flags, float alpha, float beta, int m, int n)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(12288);
        var place = new TilePlace(m, n, 128, 128, (products * tiles) + lowTiles, tiles, products);
        CudaAsm.Emit(TensorCoreTile.Tile128X128 + TensorCoreTile.RowsOfN + TensorCoreTile.Declare);
        CudaAsm.Emit(TensorCoreTile.Operands, TileFinish.AddressOf(shared), a, aRow, aPlane, aLow, b, bRow, bPlane, low, lowRow);
        CudaAsm.Emit(TensorCoreTile.Multiply, place.Row, place.Column, codes, products, tiles, lowTiles, place.Product, place.Skip, place.Count);
        var output = new ProductOutput(c, TilePlace.FirstOf(m, n), bias, residual, activated, flags, alpha, beta, m, n);
        for (int half = 0; half < 2; half++)
        {
            CudaAsm.Emit(TensorCoreTile.Stage, half);
            TileFinish.Store(shared, output, (place.Row * 128) + (half * 64), place.Column * 128, 64, 128, 128);
        }
    }

    /// <summary>Tiles of 128 × 128, 128 threads; b is k × n.</summary>
    public static void Tile128X128K(
        nint a, long aRow, long aPlane, long aLow, nint b, long bRow, long bPlane, nint low, long lowRow, int codes, int products, int tiles, int lowTiles,
        nint c, nint bias, nint residual, nint activated, int flags, float alpha, float beta, int m, int n)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(12288);
        var place = new TilePlace(m, n, 128, 128, (products * tiles) + lowTiles, tiles, products);
        CudaAsm.Emit(TensorCoreTile.Tile128X128 + TensorCoreTile.RowsOfK + TensorCoreTile.Declare);
        CudaAsm.Emit(TensorCoreTile.Operands, TileFinish.AddressOf(shared), a, aRow, aPlane, aLow, b, bRow, bPlane, low, lowRow);
        CudaAsm.Emit(TensorCoreTile.Multiply, place.Row, place.Column, codes, products, tiles, lowTiles, place.Product, place.Skip, place.Count);
        var output = new ProductOutput(c, TilePlace.FirstOf(m, n), bias, residual, activated, flags, alpha, beta, m, n);
        for (int half = 0; half < 2; half++)
        {
            CudaAsm.Emit(TensorCoreTile.Stage, half);
            TileFinish.Store(shared, output, (place.Row * 128) + (half * 64), place.Column * 128, 64, 128, 128);
        }
    }

    /// <summary>Tiles of 128 × 256, 256 threads; b is n × k.</summary>
    [DynamicSharedMemory(WideShared)]
    public static void Tile128X256N(
        nint a, long aRow, long aPlane, long aLow, nint b, long bRow, long bPlane, nint low, long lowRow, int codes, int products, int tiles, int lowTiles,
        nint c, nint bias, nint residual, nint activated, int flags, float alpha, float beta, int m, int n)
    {
        ArrayView<float> shared = SharedMemory.GetDynamic<float>();
        var place = new TilePlace(m, n, 128, 256, (products * tiles) + lowTiles, tiles, products);
        CudaAsm.Emit(TensorCoreTile.Tile128X256 + TensorCoreTile.RowsOfN + TensorCoreTile.Declare);
        CudaAsm.Emit(TensorCoreTile.Operands, TileFinish.AddressOf(shared), a, aRow, aPlane, aLow, b, bRow, bPlane, low, lowRow);
        CudaAsm.Emit(TensorCoreTile.Multiply, place.Row, place.Column, codes, products, tiles, lowTiles, place.Product, place.Skip, place.Count);
        var output = new ProductOutput(c, TilePlace.FirstOf(m, n), bias, residual, activated, flags, alpha, beta, m, n);
        for (int half = 0; half < 2; half++)
        {
            CudaAsm.Emit(TensorCoreTile.Stage, half);
            TileFinish.Store(shared, output, (place.Row * 128) + (half * 64), place.Column * 256, 64, 256, 256);
        }
    }

    /// <summary>Tiles of 128 × 256, 256 threads; b is k × n.</summary>
    [DynamicSharedMemory(WideShared)]
    public static void Tile128X256K(
        nint a, long aRow, long aPlane, long aLow, nint b, long bRow, long bPlane, nint low, long lowRow, int codes, int products, int tiles, int lowTiles,
        nint c, nint bias, nint residual, nint activated, int flags, float alpha, float beta, int m, int n)
    {
        ArrayView<float> shared = SharedMemory.GetDynamic<float>();
        var place = new TilePlace(m, n, 128, 256, (products * tiles) + lowTiles, tiles, products);
        CudaAsm.Emit(TensorCoreTile.Tile128X256 + TensorCoreTile.RowsOfK + TensorCoreTile.Declare);
        CudaAsm.Emit(TensorCoreTile.Operands, TileFinish.AddressOf(shared), a, aRow, aPlane, aLow, b, bRow, bPlane, low, lowRow);
        CudaAsm.Emit(TensorCoreTile.Multiply, place.Row, place.Column, codes, products, tiles, lowTiles, place.Product, place.Skip, place.Count);
        var output = new ProductOutput(c, TilePlace.FirstOf(m, n), bias, residual, activated, flags, alpha, beta, m, n);
        for (int half = 0; half < 2; half++)
        {
            CudaAsm.Emit(TensorCoreTile.Stage, half);
            TileFinish.Store(shared, output, (place.Row * 128) + (half * 64), place.Column * 256, 64, 256, 256);
        }
    }
}
