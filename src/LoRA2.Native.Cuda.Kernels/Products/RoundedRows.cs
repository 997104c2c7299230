namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>Writes the rows that pass as planes of bfloat16 terms (<see cref="GemmPack"/>), four columns at a time.</summary>
internal readonly unsafe struct RoundedRows(nint y, int rows, int step, int plane, int planes) : IThinRowVisitor
{
    private readonly ushort* y = (ushort*)y;
    private readonly int rows = rows;
    private readonly int step = step;
    private readonly int plane = plane;
    private readonly int planes = planes;

    public void See(int row, int column, Float4 x)
    {
        if (row >= rows) return;
        uint to = ((uint)row * (uint)step) + (uint)column;
        for (int p = 0; p < planes; p++, to += (uint)plane)
        {
            *(ulong*)(y + to) = BFloat16Terms.Pair(x.X, x.Y) | ((ulong)BFloat16Terms.Pair(x.Z, x.W) << 32);
            x = new Float4(BFloat16Terms.Rest(x.X), BFloat16Terms.Rest(x.Y), BFloat16Terms.Rest(x.Z), BFloat16Terms.Rest(x.W));
        }
    }
}
