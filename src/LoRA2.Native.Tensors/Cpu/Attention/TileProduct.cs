using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>
/// The products of <see cref="BlockProduct{T, TVector, TSimd}"/> on bfloat16 tiles: the left operand is rounded to bfloat16 while it is packed,
/// the right one was before. The sheared forms touch up to two tiles' widths beside a block.
/// </summary>
internal static unsafe class TileProduct
{
    private const int Lanes = TileShape.Lanes;

    /// <inheritdoc cref="BlockProduct{T, TVector, TSimd}.Dense"/>
    public static void Dense(int rows, int columns, int depth, in BlockOperands<float> operands)
    {
        byte* left = operands.PackedA;
        if (left == null)
        {
            bool transposed = operands.DepthStep != 1;
            left = Left(operands.A, transposed ? operands.DepthStep : operands.RowStep, transposed, rows, depth, operands.Alpha);
        }

        Panels(rows, columns, depth, left, operands.B, 0, operands.Beta, operands.C, operands.CStep);
    }

    /// <inheritdoc cref="BlockProduct{T, TVector, TSimd}.ShearedColumns"/>
    public static void ShearedColumns(Band band, int depth, in BlockOperands<float> operands)
    {
        byte* left = operands.PackedA == null ? Left(operands.A, operands.RowStep, false, band.Rows, depth, operands.Alpha) : operands.PackedA;
        for (int row = 0; row < band.Rows; row += Lanes, left += operands.B.TileStep)
        {
            int end = Math.Min(row + Lanes, band.Rows);
            int panel = (band.Offset - (end - 1)) / Lanes, first = panel * Lanes;
            float* c = operands.C + (row * operands.CStep) + first - band.Offset + row;
            TileBlock.Multiply(
                Precision.BFloat16, end - row, band.End - row - first, depth, left, operands.B.Tiles + (panel * operands.B.TileStep), operands.Beta, c, (int)operands.CStep + 1);
        }
    }

    /// <inheritdoc cref="BlockProduct{T, TVector, TSimd}.ShearedDepth"/>
    public static void ShearedDepth(Band band, int columns, in BlockOperands<float> operands)
    {
        nint step = operands.RowStep + 1;
        for (int row = 0; row < band.Rows; row += Lanes)
        {
            int end = Math.Min(row + Lanes, band.Rows);
            int from = (band.Offset - (end - 1)) / TileShape.Depth * TileShape.Depth, depth = band.End - row - from;
            byte* left = Left(operands.A + (row * step) + from - band.Offset, step, false, end - row, depth, 1);
            Panels(end - row, columns, depth, left, operands.B, from, 1, operands.C + (row * operands.CStep), operands.CStep);
        }
    }

    /// <inheritdoc cref="BlockProduct{T, TVector, TSimd}.ShearedRows"/>
    public static void ShearedRows(Band band, int columns, in BlockOperands<float> operands)
    {
        nint step = operands.RowStep + 1;
        for (int x = band.First; x < band.End; x += Lanes)
        {
            int end = Math.Min(x + Lanes, band.End);
            int from = Math.Max(0, band.Offset - (end - 1)) / TileShape.Depth * TileShape.Depth, depth = Math.Min(band.Rows, band.End - x) - from;
            byte* left = Left(operands.A + (from * step) + x - band.Offset, step, true, end - x, depth, 1);
            Panels(end - x, columns, depth, left, operands.B, from, 1, operands.C + (x * operands.CStep), operands.CStep);
        }
    }

    private static byte* Left(float* a, nint step, bool transposed, int rows, int depth, float scale)
    {
        byte* packed = MatrixProducts.Scratch.Get<byte>(MatrixProducts.ScratchUse.Strips, TileBlock.LeftBytes(rows, depth, Precision.BFloat16));
        TileBlock.PackLeft(a, (int)step, transposed, rows, depth, scale, Precision.BFloat16, packed);
        return packed;
    }

    private static void Panels(int rows, int columns, int depth, byte* left, in RightOperand<float> right, int from, float beta, float* c, nint step)
    {
        byte* tiles = right.Tiles + (from / TileShape.Depth * BlockCode.GroupBytes);
        for (int column = 0; column < columns; column += Lanes, tiles += right.TileStep)
            TileBlock.Multiply(Precision.BFloat16, rows, Math.Min(Lanes, columns - column), depth, left, tiles, beta, c + column, (int)step);
    }
}
