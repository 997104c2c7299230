using System.Numerics;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;

namespace LoRA2.Native.Tensors.Cpu;

/// <summary>
/// Multi-head attention with relative positions. Forward: a part is one head of one sequence. Backward: a part is one head of all sequences, in
/// order, because they add to the same rows of the position tables' gradients. Everything a part writes is its own.
/// </summary>
internal static unsafe class Attention
{
    /// <summary>Writes the probabilities (before dropout) and y.</summary>
    public static void Forward<T>(in AttentionShape<T> shape, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        SimdTask.Run<T, ForwardTask<T>>(shape.Batch * shape.Heads, new ForwardTask<T>(shape, y));

    /// <summary>Writes the gradients that are not null.</summary>
    public static void Backward<T>(in AttentionShape<T> shape, T* dy, T* dq, T* dk, T* dv, T* dpositionKey, T* dpositionQuery)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        SimdTask.Run<T, BackwardTask<T>>(shape.Heads, new BackwardTask<T>(shape, dy, dq, dk, dv, dpositionKey, dpositionQuery));

    private readonly struct ForwardTask<T>(AttentionShape<T> s, T* y) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            (int batch, int head) = Math.DivRem(index, s.Heads);
            (int length, int width, int size) = (s.Length, s.Width, s.Size);
            nint block = s.Block(batch, head);
            nint square = s.SquareBlock(batch, head);
            nint column = (nint)head * size;
            T* p = s.Probabilities + square;
            Gemm.Multiply(false, true, length, length, size, s.Scale, s.Q + block, width, s.K + block, width, T.Zero, p, length);
            if (s.PositionKey != null) s.AddPositions(s.Q + block, s.PositionKey + column, true, p);
            if (s.PositionQuery != null) s.AddPositions(s.K + block, s.PositionQuery + column, false, p);
            int* mask = s.Mask == null ? null : s.Mask + ((nint)batch * length);
            T* used = s.DropoutProbability > 0 ? Scratch.Get<T>(ScratchSlot.Scores, s.Square) : p;
            for (int i = 0; i < length; i++)
            {
                T* row = p + ((nint)i * length);
                if (mask != null && s.MaskQueries && mask[i] == 0) new Span<T>(row, length).Clear();
                else SoftmaxRow.Forward<TSimd, T>(row, mask, T.One, length, row);
            }

            if (used != p) Dropout.Row(p, s.Square, s.DropoutProbability, s.Random, (ulong)square, used, accumulate: false);
            Gemm.Multiply(false, false, length, size, length, T.One, used, length, s.V + block, width, T.Zero, y + block, width);
        }
    }

    private readonly struct BackwardTask<T>(AttentionShape<T> s, T* dy, T* dq, T* dk, T* dv, T* dpositionKey, T* dpositionQuery) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint column = (nint)index * s.Size;
            Clear(dpositionKey, column);
            Clear(dpositionQuery, column);
            for (int batch = 0; batch < s.Batch; batch++) Sequence<TSimd>(batch, index, column);
        }

        private void Sequence<TSimd>(int batch, int head, nint column)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            (int length, int width, int size) = (s.Length, s.Width, s.Size);
            nint block = s.Block(batch, head);
            nint square = s.SquareBlock(batch, head);
            T* p = s.Probabilities + square;
            T* ds = Scratch.Get<T>(ScratchSlot.Scores, s.Square);
            if (dv != null)
            {
                T* used = p;
                if (s.DropoutProbability > 0)
                {
                    used = ds;
                    Dropout.Row(p, s.Square, s.DropoutProbability, s.Random, (ulong)square, used, accumulate: false);
                }

                Gemm.Multiply(true, false, length, size, length, T.One, used, length, dy + block, width, T.Zero, dv + block, width);
            }

            Gemm.Multiply(false, true, length, length, size, T.One, dy + block, width, s.V + block, width, T.Zero, ds, length);
            if (s.DropoutProbability > 0) Dropout.Row(ds, s.Square, s.DropoutProbability, s.Random, (ulong)square, ds, accumulate: false);
            for (int i = 0; i < length; i++)
            {
                nint row = (nint)i * length;
                SoftmaxRow.Backward<TSimd, T>(p + row, ds + row, s.Scale, length, ds + row, accumulate: false);
            }

            if (dq != null) Gemm.Multiply(false, false, length, size, length, T.One, ds, length, s.K + block, width, T.Zero, dq + block, width);
            if (dk != null) Gemm.Multiply(true, false, length, size, length, T.One, ds, length, s.Q + block, width, T.Zero, dk + block, width);
            if (s.PositionKey != null) s.AddPositionGradients(ds, s.Q + block, s.PositionKey + column, true, At(dq, block), At(dpositionKey, column));
            if (s.PositionQuery != null) s.AddPositionGradients(ds, s.K + block, s.PositionQuery + column, false, At(dk, block), At(dpositionQuery, column));
        }

        private void Clear(T* table, nint column)
        {
            if (table == null) return;
            for (int row = 0; row < s.Positions; row++) new Span<T>(table + ((nint)row * s.Width) + column, s.Size).Clear();
        }

        private static T* At(T* gradient, nint offset) => gradient == null ? null : gradient + offset;
    }
}
