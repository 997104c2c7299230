namespace LoRA2.Native.Cuda.Kernels.Elementwise;

/// <summary>A row or a number of a tensor combined with every row or element of a matrix.</summary>
[KernelFamily]
internal static unsafe class Broadcasts
{
    /// <summary>y[r, c] = x[r, c] + row[c], of fours: <paramref name="vectors"/> a row and <paramref name="count"/> in all.</summary>
    public static void AddRowFours(nint x, nint row, nint y, uint vectors, uint count)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            Float4 v = ((Float4*)x)[i];
            Float4 b = ((Float4*)row)[i % vectors];
            ((Float4*)y)[i] = new Float4(v.X + b.X, v.Y + b.Y, v.Z + b.Z, v.W + b.W);
        }
    }

    /// <summary>y[r, c] = x[r, c] + row[c].</summary>
    public static void AddRow(nint x, nint row, nint y, uint columns, uint count)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count) ((float*)y)[i] = ((float*)x)[i] + ((float*)row)[i % columns];
    }

    /// <summary>y = factor x, where the factor is in the device's memory; vectors and count as in <see cref="Elementwise"/>.</summary>
    public static void ScaleBy(nint x, nint factor, nint y, uint vectors, uint count) => Map.Unary(new Scaling(*(float*)factor), x, y, vectors, count);

    private readonly struct Scaling(float s) : IUnary
    {
        private readonly float s = s;

        public float Of(float x) => x * s;
    }
}
