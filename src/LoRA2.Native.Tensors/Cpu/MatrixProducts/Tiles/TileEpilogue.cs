using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>Moves a finished block from its buffer to C, with what the product adds.</summary>
internal static unsafe class TileEpilogue
{
    /// <summary>
    /// C = block + beta · C + residual, element by element, and activation(C) next to it. Pointers are to the block's first element, null where
    /// there is nothing to add.
    /// </summary>
    /// <param name="block">Rows of 32 sums.</param>
    /// <param name="rows">Rows of C.</param>
    /// <param name="columns">Columns of C, 1 … 32.</param>
    /// <param name="beta">Factor of what C holds; 0 leaves it unread.</param>
    /// <param name="c">Destination.</param>
    /// <param name="step">Elements between rows of <paramref name="c"/>, and of <paramref name="activated"/>.</param>
    /// <param name="residual">A value for each element, or null.</param>
    /// <param name="residualStep">Elements between rows of <paramref name="residual"/>.</param>
    /// <param name="activated">Receives the activation of C, or null.</param>
    /// <param name="activation">What <paramref name="activated"/> receives.</param>
    public static void Run(
        float* block, int rows, int columns, float beta, float* c, nint step, float* residual, nint residualStep, float* activated, Activation activation)
    {
        if (SimdPaths.Are512) Move<Vectors.Simd512<float>>(block, rows, columns, beta, c, step, residual, residualStep);
        else Move<Vectors.Simd256<float>>(block, rows, columns, beta, c, step, residual, residualStep);
        // What was just written is in the first-level cache.
        if (activated != null) new TileFinish<float>(null, null, 0, activated, step, activation, c, step, rows, columns).Run();
    }

    private static void Move<TSimd>(float* from, int rows, int columns, float beta, float* to, nint step, float* residual, nint residualStep)
        where TSimd : unmanaged, Vectors.ISimd<TSimd, float>
    {
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j += TSimd.Count)
            {
                int count = columns - j;
                TSimd value = TSimd.Load(from + j);
                if (beta != 0) value = TSimd.MultiplyAdd(TSimd.Create(beta), SimdEnds.LoadUpTo<TSimd, float>(to + j, count), value);
                if (residual != null) value += SimdEnds.LoadUpTo<TSimd, float>(residual + j, count);
                SimdEnds.StoreUpTo(value, to + j, count);
            }

            from += TileShape.Lanes;
            to += step;
            if (residual != null) residual += residualStep;
        }
    }

    /// <summary>Copies a part of C to the block that its sums start from; the block's other elements are left as they are.</summary>
    public static void CopyTo(float* c, nint step, int rows, int columns, float* block)
    {
        for (int i = 0; i < rows; i++, c += step, block += TileShape.Lanes) new Span<float>(c, columns).CopyTo(new Span<float>(block, columns));
    }
}
