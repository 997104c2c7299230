using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>Rounds the columns of a weight to bytes by a scale each and lays them out, a panel a part, in memory that was cleared.</summary>
internal readonly unsafe struct WeightRounding(float* source, int step, int rows, int columns, bool isOfBytes, long panelBytes, float* scales, float* sums, sbyte* panels) : IParallelTask
{
    private const int Tile = 16;

    private int Lanes => isOfBytes ? TileShape.Lanes : Int8PackedMatrix.PanelColumns;

    public void Run(int index)
    {
        sbyte* panel = panels + (index * panelBytes);
        for (int j = 0; j < Lanes && (index * Lanes) + j < columns; j++)
        {
            int column = (index * Lanes) + j;
            float* from = source + ((long)column * step);
            float largest = Largest(from), inverse = RowRounding.Inverse(largest, Int8PackedMatrix.Levels);
            // An infinity has the inverse 0 too; its scale makes the column NaN.
            scales[column] = largest < RowRounding.Smallest ? 0 : largest / Int8PackedMatrix.Levels;
            if (isOfBytes) sums[column] = scales[column] * Fours(from, inverse, panel + (j / Tile * BlockCode.TileBytes) + (j % Tile * 4));
            else for (int p = 0; p < rows; p++) panel[((p >> 1) * 2 * Int8PackedMatrix.PanelColumns) + (2 * j) + (p & 1)] = (sbyte)MathF.Round(from[p] * inverse);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private float Largest(float* from)
    {
        Vector<float> most = default;
        int p = 0;
        for (; p <= rows - Vector<float>.Count; p += Vector<float>.Count) most = Vector.Max(most, Vector.Abs(Vector.Load(from + p)));
        float largest = 0;
        for (int lane = 0; lane < Vector<float>.Count; lane++) largest = MathF.Max(largest, most[lane]);
        for (; p < rows; p++) largest = MathF.Max(largest, MathF.Abs(from[p]));
        return largest;
    }

    /// <summary>A column for <see cref="ByteCode"/>: of each step of 64 the four from p on are at p / 4 · 64 bytes, those of 16 columns side by side. Returns the rounded weights' sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Fours(float* from, float inverse, sbyte* to)
    {
        var factor = Vector128.Create(inverse);
        Vector128<int> sum = default;
        int p = 0;
        for (; p <= rows - 4; p += 4)
        {
            Vector128<int> values = Vector128.ConvertToInt32(Vector128.Round(Vector128.Load(from + p) * factor));
            sum += values;
            *(int*)At(to, p) = Vector128.Narrow(Vector128.Narrow(values, values), default).AsInt32()[0];
        }

        int total = Vector128.Sum(sum);
        for (; p < rows; p++)
        {
            sbyte value = (sbyte)MathF.Round(from[p] * inverse);
            total += value;
            *At(to, p) = value;
        }

        return total;
    }

    private static sbyte* At(sbyte* column, int p) => column + (p / ByteCode.StepDepth * BlockCode.GroupBytes) + (p % ByteCode.StepDepth / 4 * ByteCode.StepDepth) + (p % 4);
}
