using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// C = alpha · Tᵀ·X + beta · C for a thin T (depth × a few) and a wide X (depth × columns), both as they lie, or its transpose: the gradients of
/// an adapter's factors. X, the one that is big, is read once and along its rows; the sums stay in the first-level cache. A part is a range of
/// X's columns. Sums are made in the order and the groups of <see cref="ProductTask{T, TVector, TSimd}"/>, so that the bits are the same.
/// </summary>
internal unsafe struct ThinTask<T, TVector, TSimd> : IParallelTask
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : unmanaged, ISimd<T, TVector>
{
    private const int RowBlock = 16;
    private const int SumsBytes = 16 * 1024;

    public int Depth;

    /// <summary>Longest depth of one group.</summary>
    public int DepthGroup;
    public T* Thin;
    public nint ThinStep;

    /// <summary>Columns of T.</summary>
    public int Rows;
    public T* Wide;
    public nint WideStep;

    /// <summary>Columns of X.</summary>
    public int Columns;
    public T Alpha;
    public T Beta;

    /// <summary>The result's element for column i of T and column j of X is at i · <see cref="CRowStep"/> + j · <see cref="CColumnStep"/>.</summary>
    public T* C;
    public nint CRowStep;
    public nint CColumnStep;

    private int part;

    private static int Pair => 2 * TSimd.Count;

    /// <summary>Runs the product, on several threads if it is worth it.</summary>
    public static void RunAll(ThinTask<T, TVector, TSimd> task)
    {
        int pairs = (task.Columns + Pair - 1) / Pair;
        int most = Math.Max(1, SumsBytes / (task.Rows * Pair * sizeof(T)));
        int threads = ThreadTeam.Available;
        int each = threads == 1 ? pairs : (pairs + (2 * threads) - 1) / (2 * threads);
        task.part = Math.Min(each, most) * Pair;
        ThreadTeam.Run((task.Columns + task.part - 1) / task.part, task);
    }

    public readonly void Run(int index)
    {
        int first = index * part, columns = Math.Min(part, Columns - first);
        nint width = (columns + Pair - 1) / Pair * Pair, size = width * Rows;
        T* sums = Scratch.Get<T>(ScratchUse.Strips, (2 * size) + (RowBlock * Pair));
        T* total = sums + size;
        T* edge = total + size;
        bool started = Beta != T.Zero;
        if (started) Read(first, columns, total, width);
        T beta = Beta;
        int groups = Math.Max(1, (int)(((long)Depth + DepthGroup - 1) / DepthGroup));
        int group = (int)(((long)Depth + groups - 1) / groups);
        for (int start = 0; start == 0 || start < Depth; start += group)
        {
            int length = Math.Min(group, Depth - start);
            int blocks = Math.Max(1, (length + ProductTask<T, TVector, TSimd>.DepthBlock - 1) / ProductTask<T, TVector, TSimd>.DepthBlock);
            int block = (length + blocks - 1) / blocks;
            for (int d = 0; d < blocks; d++)
            {
                int row = start + (d * block), end = Math.Min(row + block, start + length);
                new Span<T>(sums, (int)size).Clear();
                for (; row < end; row += RowBlock) AddRows(row, Math.Min(RowBlock, end - row), first, columns, sums, width, edge);
                Add(sums, size, started, beta, total);
                (started, beta) = (true, T.One);
            }

            if (group == 0) break;
        }

        Write(first, columns, total, width);
    }

    private readonly void AddRows(int row, int rows, int first, int columns, T* sums, nint width, T* edge)
    {
        int whole = columns / Pair * Pair;
        T* x = Wide + (row * WideStep) + first;
        if (whole < columns)
        {
            for (int i = 0; i < rows; i++)
            {
                new Span<T>(x + (i * WideStep) + whole, columns - whole).CopyTo(new Span<T>(edge + (i * Pair), Pair));
                new Span<T>(edge + (i * Pair) + columns - whole, Pair - columns + whole).Clear();
            }
        }

        for (int i = 0; i < Rows; i += 8)
        {
            T* thin = Thin + (row * ThinStep) + i;
            T* sum = sums + (i * width);
            int count = Math.Min(8, Rows - i);
            if (whole > 0) Kernel(count, rows, thin, x, WideStep, whole, sum, width);
            if (whole < columns) Kernel(count, rows, thin, edge, Pair, Pair, sum + whole, width);
        }
    }

    private readonly void Kernel(int count, int rows, T* thin, T* x, nint xStep, nint columns, T* sums, nint width)
    {
        switch (count)
        {
            case 1: ThinKernel<T, TVector, TSimd, C1>.Run(rows, thin, ThinStep, x, xStep, columns, sums, width); break;
            case 2: ThinKernel<T, TVector, TSimd, C2>.Run(rows, thin, ThinStep, x, xStep, columns, sums, width); break;
            case 3: ThinKernel<T, TVector, TSimd, C3>.Run(rows, thin, ThinStep, x, xStep, columns, sums, width); break;
            case 4: ThinKernel<T, TVector, TSimd, C4>.Run(rows, thin, ThinStep, x, xStep, columns, sums, width); break;
            case 5: ThinKernel<T, TVector, TSimd, C5>.Run(rows, thin, ThinStep, x, xStep, columns, sums, width); break;
            case 6: ThinKernel<T, TVector, TSimd, C6>.Run(rows, thin, ThinStep, x, xStep, columns, sums, width); break;
            case 7: ThinKernel<T, TVector, TSimd, C7>.Run(rows, thin, ThinStep, x, xStep, columns, sums, width); break;
            default: ThinKernel<T, TVector, TSimd, C8>.Run(rows, thin, ThinStep, x, xStep, columns, sums, width); break;
        }
    }

    /// <summary>total = alpha · sums + beta · total, without the latter before it was <paramref name="started"/>.</summary>
    private readonly void Add(T* sums, nint size, bool started, T beta, T* total)
    {
        T alpha = Alpha;
        TVector scale = TSimd.Broadcast(&alpha), keep = TSimd.Broadcast(&beta);
        for (nint i = 0; i < size; i += TSimd.Count)
        {
            TVector sum = TSimd.Load(sums + i);
            if (alpha != T.One) sum = TSimd.Multiply(sum, scale);
            if (started) sum = TSimd.MultiplyAdd(keep, TSimd.Load(total + i), sum);
            TSimd.Store(total + i, sum);
        }
    }

    private readonly void Read(int first, int columns, T* total, nint width)
    {
        for (int i = 0; i < Rows; i++)
        {
            T* c = C + (i * CRowStep) + (first * CColumnStep);
            for (int j = 0; j < columns; j++) total[(i * width) + j] = c[j * CColumnStep];
            for (nint j = columns; j < width; j++) total[(i * width) + j] = T.Zero;
        }
    }

    private readonly void Write(int first, int columns, T* total, nint width)
    {
        if (CColumnStep == 1)
        {
            for (int i = 0; i < Rows; i++) new Span<T>(total + (i * width), columns).CopyTo(new Span<T>(C + (i * CRowStep) + first, columns));
            return;
        }

        for (int j = 0; j < columns; j++)
        {
            T* c = C + ((first + j) * CColumnStep);
            for (int i = 0; i < Rows; i++) c[i * CRowStep] = total[(i * width) + j];
        }
    }
}
