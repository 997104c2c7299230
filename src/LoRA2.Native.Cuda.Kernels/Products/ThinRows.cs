using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>What is done with the elements of x as they pass.</summary>
internal interface IThinRowVisitor
{
    /// <summary>Element <paramref name="column"/> of a row and the three after it; a row past the last is shown as the last.</summary>
    void See(int row, int column, Float4 x);
}

/// <summary>
/// A lane's sums of Σ_k x(row, k) y(k, j) for the four rows of its warp and eight columns, for x with k along its rows: a lane takes every 32nd four of k; y waits in shared memory. 256
/// threads; a block has 32 rows.
/// </summary>
internal unsafe struct ThinRows
{
    public const int Width = 8;

    /// <summary>Floats of shared memory.</summary>
    public const int Shared = Width * Chunk;

    private const int Chunk = 1024;
    private const int RowsOfWarp = 4;
    private const int Warps = 8;

    public Eight Row0;
    public Eight Row1;
    public Eight Row2;
    public Eight Row3;

    /// <summary>The first of the warp's rows.</summary>
    public static int FirstRow => ((Grid.IdxX * Warps) + (Group.IdxX / 32)) * RowsOfWarp;

    /// <summary>vectors: whether k is a multiple of 4 and x is aligned; else nothing is shown to the visitor.</summary>
    public static ThinRows Of<T>(T visitor, ArrayView<float> shared, nint x, int k, int vectors, nint y, int yRow, int yColumn, int rows, int first, int columns)
        where T : struct, IThinRowVisitor
    {
        int lane = Group.IdxX % 32, row = FirstRow, last = rows - 1;
        uint at0 = (uint)Smaller(row, last) * (uint)k, at1 = (uint)Smaller(row + 1, last) * (uint)k, at2 = (uint)Smaller(row + 2, last) * (uint)k, at3 = (uint)Smaller(row + 3, last) * (uint)k;
        ThinRows sums = default;
        float* px = (float*)x;
        for (int start = 0; start < k; start += Chunk)
        {
            int depth = Smaller(Chunk, k - start);
            Group.Barrier();
            Load(shared, (float*)y + ((uint)start * (uint)yRow), yRow, yColumn, depth, first, columns);
            Group.Barrier();
            if (vectors != 0)
            {
                ArrayView<Float4> fours = shared.Cast<Float4>();
                for (int d = 4 * lane; d < depth; d += 4 * 32)
                {
                    uint at = (uint)(start + d);
                    Float4 x0 = *(Float4*)(px + (at0 + at)), x1 = *(Float4*)(px + (at1 + at)), x2 = *(Float4*)(px + (at2 + at)), x3 = *(Float4*)(px + (at3 + at));
                    int from = d / 4;
                    Float4 y0 = fours[from], y1 = fours[from + (Chunk / 4)], y2 = fours[from + (2 * Chunk / 4)], y3 = fours[from + (3 * Chunk / 4)];
                    sums.Row0.Low = Dots(x0, y0, y1, y2, y3, sums.Row0.Low);
                    sums.Row1.Low = Dots(x1, y0, y1, y2, y3, sums.Row1.Low);
                    sums.Row2.Low = Dots(x2, y0, y1, y2, y3, sums.Row2.Low);
                    sums.Row3.Low = Dots(x3, y0, y1, y2, y3, sums.Row3.Low);
                    y0 = fours[from + (4 * Chunk / 4)];
                    y1 = fours[from + (5 * Chunk / 4)];
                    y2 = fours[from + (6 * Chunk / 4)];
                    y3 = fours[from + (7 * Chunk / 4)];
                    sums.Row0.High = Dots(x0, y0, y1, y2, y3, sums.Row0.High);
                    sums.Row1.High = Dots(x1, y0, y1, y2, y3, sums.Row1.High);
                    sums.Row2.High = Dots(x2, y0, y1, y2, y3, sums.Row2.High);
                    sums.Row3.High = Dots(x3, y0, y1, y2, y3, sums.Row3.High);
                    visitor.See(row, start + d, x0);
                    visitor.See(row + 1, start + d, x1);
                    visitor.See(row + 2, start + d, x2);
                    visitor.See(row + 3, start + d, x3);
                }
            }
            else
            {
                for (int d = lane; d < depth; d += 32)
                {
                    uint at = (uint)(start + d);
                    var low = new Float4(shared[d], shared[Chunk + d], shared[(2 * Chunk) + d], shared[(3 * Chunk) + d]);
                    var high = new Float4(shared[(4 * Chunk) + d], shared[(5 * Chunk) + d], shared[(6 * Chunk) + d], shared[(7 * Chunk) + d]);
                    sums.Row0.Add(px[at0 + at], low, high);
                    sums.Row1.Add(px[at1 + at], low, high);
                    sums.Row2.Add(px[at2 + at], low, high);
                    sums.Row3.Add(px[at3 + at], low, high);
                }
            }
        }

        return sums;
    }

    /// <summary>Eight columns of y, each in a row of its own; 0 where there is none.</summary>
    private static void Load(ArrayView<float> shared, float* y, int yRow, int yColumn, int depth, int first, int columns)
    {
        for (int i = Group.IdxX; i < Shared; i += 32 * Warps)
        {
            int j = yColumn == 1 ? i % Width : i / Chunk, d = yColumn == 1 ? i / Width : i % Chunk;
            float value = 0;
            if (d < depth && first + j < columns) value = y[((uint)d * (uint)yRow) + ((uint)(first + j) * (uint)yColumn)];
            shared[(j * Chunk) + d] = value;
        }
    }

    private static Float4 Dots(Float4 x, Float4 y0, Float4 y1, Float4 y2, Float4 y3, Float4 sum) =>
        new(Dot(x, y0, sum.X), Dot(x, y1, sum.Y), Dot(x, y2, sum.Z), Dot(x, y3, sum.W));

    private static float Dot(Float4 x, Float4 y, float sum) => (x.W * y.W) + ((x.Z * y.Z) + ((x.Y * y.Y) + ((x.X * y.X) + sum)));

    private static int Smaller(int a, int b) => a < b ? a : b;
}

/// <summary>For who wants the sums alone.</summary>
internal readonly struct NothingMore : IThinRowVisitor
{
    public void See(int row, int column, Float4 x)
    {
    }
}
