using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Reductions;

/// <summary>The sum of each column of a matrix, in double: of chunks of rows first, whose sums are then added in order.</summary>
[KernelFamily]
internal static unsafe class ColumnSums
{
    /// <summary>The sums of a chunk of rows: block (strip, chunk) of 32 × 8 threads, and a row of partial sums a chunk.</summary>
    public static void Chunk(nint x, nint partials, uint rows, uint columns, uint rowsPerChunk)
    {
        ArrayView<double> sums = SharedMemory.Allocate<double>(256);
        uint column = ((uint)Grid.IdxX * 32) + (uint)Group.IdxX;
        uint end = ((uint)Grid.IdxY + 1) * rowsPerChunk;
        if (end > rows) end = rows;
        double sum = 0;
        if (column < columns)
        {
            for (uint row = ((uint)Grid.IdxY * rowsPerChunk) + (uint)Group.IdxY; row < end; row += 8) sum += ((float*)x)[(row * columns) + column];
        }

        sums[(Group.IdxY * 32) + Group.IdxX] = sum;
        Group.Barrier();
        if (Group.IdxY == 0 && column < columns) ((double*)partials)[((uint)Grid.IdxY * columns) + column] = Eight(sums, Group.IdxX);
    }

    /// <summary>sums[c] = Σ over the chunks of partials[chunk · stride + c], in order.</summary>
    public static void Finish(nint partials, uint chunks, uint stride, nint sums, uint columns)
    {
        for (uint c = Threads.First; c < columns; c += Threads.Count)
        {
            double sum = 0;
            for (uint chunk = 0; chunk < chunks; chunk++) sum += ((double*)partials)[(chunk * stride) + c];
            ((float*)sums)[c] = (float)sum;
        }
    }

    /// <summary>The sum of a column of eight rows of 32.</summary>
    internal static double Eight(ArrayView<double> rows, int column) =>
        rows[column] + rows[column + 32] + (rows[column + 64] + rows[column + 96]) + (rows[column + 128] + rows[column + 160] + (rows[column + 192] + rows[column + 224]));
}
