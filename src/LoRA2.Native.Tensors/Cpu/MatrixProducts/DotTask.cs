using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// C = alpha · X·Sᵀ + beta · C for a tall X (rows × depth) and a short S (at most a dozen rows), both read where they lie; a part is a
/// block of rows of X. An adapter's inner product (tokens × inputs by inputs × rank) has this shape, and so has a layer applied to few
/// tokens, X being the weight.
/// </summary>
internal unsafe struct DotTask<T, TVector, TSimd> : IParallelTask
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : unmanaged, ISimd<T, TVector>
{
    private const int TileRows = 3;
    private const int SumsStep = 8;
    private const long PartBytes = 128 * 1024;

    public int Rows;
    public nint Depth;
    public T* X;
    public nint XStep;

    /// <summary>Rows of S.</summary>
    public int Columns;
    public T* S;
    public nint SStep;
    public T Alpha;
    public T Beta;

    /// <summary>C's element (i, j) is at i · <see cref="CRowStep"/> + j · <see cref="CColumnStep"/>.</summary>
    public T* C;
    public nint CRowStep;
    public nint CColumnStep;

    /// <summary>Runs the product, on several threads if it is worth it.</summary>
    public static void RunAll(in DotTask<T, TVector, TSimd> task) =>
        ThreadTeam.Run((task.Rows + task.RowsPerPart - 1) / task.RowsPerPart, task);

    private readonly int RowsPerPart => (int)Math.Max(1, PartBytes / (TileRows * sizeof(T) * Math.Max(1, Depth))) * TileRows;

    public readonly void Run(int index)
    {
        T* sums = stackalloc T[TileRows * SumsStep];
        int end = Math.Min(Rows, (index + 1) * RowsPerPart);
        for (int row = index * RowsPerPart; row < end; row += TileRows)
        {
            int rows = Math.Min(TileRows, end - row);
            T* x = X + row * XStep;
            T* x1 = rows > 1 ? x + XStep : x;
            T* x2 = rows > 2 ? x1 + XStep : x;
            for (int column = 0; column < Columns; column += TSimd.DotColumns)
            {
                int columns = Math.Min(TSimd.DotColumns, Columns - column);
                Kernel(columns, x, x1, x2, S + column * SStep, sums);
                for (int i = 0; i < rows; i++)
                {
                    T* c = C + (row + i) * CRowStep + column * CColumnStep;
                    for (int j = 0; j < columns; j++, c += CColumnStep)
                    {
                        T value = Alpha * sums[i * SumsStep + j];
                        *c = Beta == T.Zero ? value : value + Beta * *c;
                    }
                }
            }
        }
    }

    private readonly void Kernel(int columns, T* x0, T* x1, T* x2, T* s, T* sums)
    {
        switch (columns)
        {
            case 1: DotKernel<T, TVector, TSimd, C1>.Run(x0, x1, x2, s, SStep, Depth, sums); break;
            case 2: DotKernel<T, TVector, TSimd, C2>.Run(x0, x1, x2, s, SStep, Depth, sums); break;
            case 3: DotKernel<T, TVector, TSimd, C3>.Run(x0, x1, x2, s, SStep, Depth, sums); break;
            case 4: DotKernel<T, TVector, TSimd, C4>.Run(x0, x1, x2, s, SStep, Depth, sums); break;
            case 5: DotKernel<T, TVector, TSimd, C5>.Run(x0, x1, x2, s, SStep, Depth, sums); break;
            case 6: DotKernel<T, TVector, TSimd, C6>.Run(x0, x1, x2, s, SStep, Depth, sums); break;
            case 7: DotKernel<T, TVector, TSimd, C7>.Run(x0, x1, x2, s, SStep, Depth, sums); break;
            default: DotKernel<T, TVector, TSimd, C8>.Run(x0, x1, x2, s, SStep, Depth, sums); break;
        }
    }
}
