using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>
/// Brings the operands of <see cref="Gemm"/> to bfloat16, in planes of one term each (<see cref="BFloat16Terms"/>), padded with zeros. Rows of the result are
/// <c>step</c> elements apart, planes <c>plane</c>.
/// </summary>
[KernelFamily]
internal static unsafe class GemmPack
{
    private const int Side = 32;

    /// <summary>y = x (rows × columns), eight columns a thread; vectors: whether columns are a multiple of 4 and x is aligned.</summary>
    public static void Round(nint x, int rows, int columns, int vectors, nint y, int step, int plane, int planes, int paddedRows, int paddedColumns)
    {
        uint eights = (uint)paddedColumns / 8, count = (uint)paddedRows * eights;
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            uint row = i / eights, column = (i - (row * eights)) * 8;
            uint at = (row * (uint)columns) + column;
            Float4 low = default, high = default;
            if (row < (uint)rows)
            {
                low = Four((float*)x, at, columns - (int)column, vectors);
                high = Four((float*)x, at + 4, columns - (int)column - 4, vectors);
            }

            uint to = (row * (uint)step) + column;
            for (int p = 0; p < planes; p++, to += (uint)plane)
            {
                *(Float4*)((ushort*)y + to) = new Float4(Word(low.X, low.Y), Word(low.Z, low.W), Word(high.X, high.Y), Word(high.Z, high.W));
                low = Rest(low);
                high = Rest(high);
            }
        }
    }

    /// <summary>The same of x that is bfloat16 already: one plane.</summary>
    public static void Copy(nint x, int rows, int columns, nint y, int step, int paddedRows, int paddedColumns)
    {
        ushort* from = (ushort*)x;
        ushort* to = (ushort*)y;
        uint count = (uint)paddedRows * (uint)paddedColumns;
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            uint row = i / (uint)paddedColumns, column = i - (row * (uint)paddedColumns);
            ushort value = 0;
            if (row < (uint)rows && column < (uint)columns) value = from[(row * (uint)columns) + column];
            to[(row * (uint)step) + column] = value;
        }
    }

    /// <summary>y = xᵀ, where x is rows × columns and y's rows are padded to a multiple of 32. 256 threads turn a block of 32 × 32; the grid is blocks of rows × of columns.</summary>
    public static void RoundTransposed(nint x, int rows, int columns, nint y, int step, int plane, int planes)
    {
        ArrayView<float> block = SharedMemory.Allocate<float>(Side * (Side + 1));
        int lane = Group.IdxX % Side, first = Group.IdxX / Side;
        int row = Grid.IdxX * Side, column = Grid.IdxY * Side;
        for (int i = first; i < Side; i += 8)
        {
            float value = 0;
            if (row + i < rows && column + lane < columns) value = ((float*)x)[((uint)(row + i) * (uint)columns) + (uint)(column + lane)];
            block[(i * (Side + 1)) + lane] = value;
        }

        Group.Barrier();
        for (int i = first; i < Side; i += 8)
        {
            if (column + i >= columns) continue;
            float value = block[(lane * (Side + 1)) + i];
            uint to = ((uint)(column + i) * (uint)step) + (uint)(row + lane);
            for (int p = 0; p < planes; p++, to += (uint)plane)
            {
                ((ushort*)y)[to] = (ushort)BFloat16Terms.Round(value);
                value = BFloat16Terms.Rest(value);
            }
        }
    }

    /// <summary>
    /// Both factors of a low-rank term, their planes laid side by side along the rank as the products of planes want them: element (row, number · rank + i), of width, is the term of
    /// scale · left(row, i), or of right(row, i), that the code with this number names in its lower or upper two bits; what is left of the width is 0. Strides are for a row and for a step
    /// along the rank.
    /// </summary>
    public static void Terms(
        nint left, int leftRows, float scale, nint right, int rightRow, int rightColumn, int rightRows, int rank, int codes, int products, int width,
        nint toLeft, int toLeftRow, nint toRight, int toRightRow, int toRightColumn)
    {
        TermsOf(left, rank, 1, leftRows, rank, scale, 0, codes, products, toLeft, toLeftRow, 1, width);
        TermsOf(right, rightRow, rightColumn, rightRows, rank, 1, 2, codes, products, toRight, toRightRow, toRightColumn, width);
    }

    /// <summary><see cref="Round"/> and <see cref="Terms"/>; the left factor's terms come after y's planes.</summary>
    public static void RoundWithTerms(
        nint x, int rows, int columns, int vectors, nint y, int step, int plane, int planes, int paddedRows, int paddedColumns,
        nint left, float scale, nint right, int rightRow, int rightColumn, int rightRows, int rank, int codes, int products, int width,
        nint toRight, int toRightRow, int toRightColumn)
    {
        Round(x, rows, columns, vectors, y, step, plane, planes, paddedRows, paddedColumns);
        Terms(
            left, rows, scale, right, rightRow, rightColumn, rightRows, rank, codes, products, width,
            (nint)((ushort*)y + ((uint)planes * (uint)plane)), step, toRight, toRightRow, toRightColumn);
    }

    /// <summary>
    /// <see cref="RoundWithTerms"/> where the left factor is x · down, which is computed and written on the way, as <see cref="GemmThin.AlongRows"/> does: x is read once. Its columns are a
    /// multiple of 4 and it is aligned. 256 threads; the grid is 32 rows.
    /// </summary>
    public static void RoundThrough(
        nint x, int rows, int columns, nint y, int step, int plane, int planes, int paddedColumns,
        nint down, int downRow, int downColumn, nint left, float scale, nint right, int rightRow, int rightColumn, int rightRows, int rank, int codes, int products, int width,
        nint toRight, int toRightRow, int toRightColumn)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(ThinRows.Shared);
        int row = ThinRows.FirstRow;
        ushort* terms = (ushort*)y + ((uint)planes * (uint)plane);
        for (int first = 0; first < rank; first += ThinRows.Width)
        {
            // The second time round there are no rows left to write.
            var rounded = new RoundedRows(y, first == 0 ? rows : 0, step, plane, planes);
            ThinRows sums = ThinRows.Of(rounded, shared, x, columns, 1, down, downRow, downColumn, rows, first, rank);
            FinishRow(row, rows, first, rank, sums.Row0, (float*)left, scale, codes, products, terms, step, width);
            FinishRow(row + 1, rows, first, rank, sums.Row1, (float*)left, scale, codes, products, terms, step, width);
            FinishRow(row + 2, rows, first, rank, sums.Row2, (float*)left, scale, codes, products, terms, step, width);
            FinishRow(row + 3, rows, first, rank, sums.Row3, (float*)left, scale, codes, products, terms, step, width);
        }

        int lane = Group.IdxX % 32, padding = columns + (4 * lane);
        if (padding < paddedColumns)
        {
            var zeros = new RoundedRows(y, rows, step, plane, planes);
            zeros.See(row, padding, default);
            zeros.See(row + 1, padding, default);
            zeros.See(row + 2, padding, default);
            zeros.See(row + 3, padding, default);
        }

        TermsOf(right, rightRow, rightColumn, rightRows, rank, 1, 2, codes, products, toRight, toRightRow, toRightColumn, width);
    }

    /// <summary>Eight values of a row of the left factor, and their terms; with the first eight also what is left of the terms' width.</summary>
    private static void FinishRow(int row, int rows, int first, int rank, Eight sums, float* left, float scale, int codes, int products, ushort* terms, int step, int width)
    {
        int lane = Group.IdxX % 32, column = first + lane;
        float value = sums.OfLane();
        if (row >= rows) return;
        ushort* to = terms + ((uint)row * (uint)step);
        if (lane < ThinRows.Width && column < rank)
        {
            left[((uint)row * (uint)rank) + (uint)column] = value;
            for (int number = 0; number < products; number++) to[(uint)((number * rank) + column)] = (ushort)BFloat16Terms.Term(scale * value, (codes >> (4 * number)) & 3);
        }

        if (first > 0) return;
        for (int at = (products * rank) + lane; at < width; at += 32) to[(uint)at] = 0;
    }

    private static void TermsOf(nint x, int xRow, int xColumn, int rows, int rank, float scale, int shift, int codes, int products, nint y, int yRow, int yColumn, int width)
    {
        uint count = (uint)rows * (uint)width;
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            uint row = i / (uint)width, at = i - (row * (uint)width), number = at / (uint)rank;
            uint value = 0;
            if (number < (uint)products)
            {
                uint column = at - (number * (uint)rank);
                int plane = (codes >> (int)((4 * number) + (uint)shift)) & 3;
                value = BFloat16Terms.Term(scale * ((float*)x)[(row * (uint)xRow) + (column * (uint)xColumn)], plane);
            }

            ((ushort*)y)[(row * (uint)yRow) + (at * (uint)yColumn)] = (ushort)value;
        }
    }

    private static Float4 Four(float* x, uint at, int left, int vectors)
    {
        Float4 value = default;
        if (vectors != 0)
        {
            if (left > 0) value = *(Float4*)(x + at);
            return value;
        }

        if (left > 0) value.X = x[at];
        if (left > 1) value.Y = x[at + 1];
        if (left > 2) value.Z = x[at + 2];
        if (left > 3) value.W = x[at + 3];
        return value;
    }

    private static float Word(float first, float second) => Interop.IntAsFloat(BFloat16Terms.Pair(first, second));

    private static Float4 Rest(Float4 x) => new(BFloat16Terms.Rest(x.X), BFloat16Terms.Rest(x.Y), BFloat16Terms.Rest(x.Z), BFloat16Terms.Rest(x.W));
}
