using System.Numerics;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;

namespace LoRA2.Native.Tensors.Cpu;

/// <summary>
/// What the attention kernels share: sizes, operands and the scores' relative terms. One head of one sequence is a length × size block with
/// <see cref="Width"/> elements between rows. Position tables are positions × width; <see cref="RowOf"/> has the row of each distance, from
/// −(length − 1).
/// </summary>
internal unsafe struct AttentionShape<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public int Batch;
    public int Length;
    public int Width;
    public int Heads;
    public int Positions;
    public T Scale;
    public T* Q;
    public T* K;
    public T* V;
    public T* PositionKey;
    public T* PositionQuery;
    public int* RowOf;
    public int* Mask;
    public bool MaskQueries;
    public double DropoutProbability;
    public Philox Random;
    public T* Probabilities;

    public readonly int Size => Width / Heads;

    public readonly nint Square => (nint)Length * Length;

    /// <summary>Elements before the block of one head of one sequence in q, k, v and their gradients.</summary>
    public readonly nint Block(int batch, int head) => ((nint)batch * Length * Width) + ((nint)head * Size);

    /// <summary>Elements before the length × length block of one head of one sequence.</summary>
    public readonly nint SquareBlock(int batch, int head) => (((nint)batch * Heads) + head) * Square;

    /// <summary>
    /// scores[i, j] += scale · own[i] · table[row(i − j)] (byQuery), or scale · own[j] · table[row(i − j)]: the products with all rows in use
    /// are made once and picked from.
    /// </summary>
    public readonly void AddPositions(T* own, T* table, bool byQuery, T* scores)
    {
        T* products = Scratch.Get<T>(ScratchSlot.Positions, (nint)Length * Positions);
        Gemm.Multiply(false, true, Length, Positions, Size, Scale, own, Width, table, Width, T.Zero, products, Positions);
        for (int i = 0; i < Length; i++)
        {
            T* row = scores + ((nint)i * Length);
            int* rowOf = RowOf + i + Length - 1;
            if (byQuery)
            {
                T* from = products + ((nint)i * Positions);
                for (int j = 0; j < Length; j++) row[j] += from[rowOf[-j]];
            }
            else
            {
                T* from = products;
                for (int j = 0; j < Length; j++, from += Positions) row[j] += from[rowOf[-j]];
            }
        }
    }

    /// <summary>
    /// The reverse: the scores' gradient, scale included, is added up by row of the table, and from that the gradients of own and of the table;
    /// either may be null.
    /// </summary>
    public readonly void AddPositionGradients(T* dscores, T* own, T* table, bool byQuery, T* down, T* dtable)
    {
        T* products = Scratch.Get<T>(ScratchSlot.Positions, (nint)Length * Positions);
        new Span<T>(products, Length * Positions).Clear();
        for (int i = 0; i < Length; i++)
        {
            T* row = dscores + ((nint)i * Length);
            int* rowOf = RowOf + i + Length - 1;
            if (byQuery)
            {
                T* to = products + ((nint)i * Positions);
                for (int j = 0; j < Length; j++) to[rowOf[-j]] += row[j];
            }
            else
            {
                T* to = products;
                for (int j = 0; j < Length; j++, to += Positions) to[rowOf[-j]] += row[j];
            }
        }

        if (down != null) Gemm.Multiply(false, false, Length, Size, Positions, T.One, products, Positions, table, Width, T.One, down, Width);
        if (dtable != null) Gemm.Multiply(true, false, Positions, Size, Length, T.One, products, Positions, own, Width, T.One, dtable, Width);
    }
}
