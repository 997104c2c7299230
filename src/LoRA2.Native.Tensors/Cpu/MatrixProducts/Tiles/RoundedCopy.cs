using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// Operands for the path without bfloat16 instructions: float32 values that bfloat16 can hold. Rows of the copy follow one another. Any vector width
/// gives the same bits.
/// </summary>
internal static unsafe class RoundedCopy
{
    /// <summary>The matrix rounded to bfloat16, in this thread's scratch.</summary>
    /// <param name="source">Rows of the matrix as it lies in memory.</param>
    /// <param name="rows">Rows in memory.</param>
    /// <param name="columns">Elements of a row in memory.</param>
    /// <param name="step">Elements between rows; set to the copy's.</param>
    /// <param name="use">The buffer.</param>
    public static float* Of(float* source, int rows, int columns, ref int step, ScratchUse use)
    {
        float* copy = Scratch.Get<float>(use, (nint)rows * columns);
        Round(source, step, rows, columns, copy);
        step = columns;
        return copy;
    }

    /// <summary>The bfloat16 matrix as float32, in this thread's scratch.</summary>
    /// <inheritdoc cref="Of(float*, int, int, ref int, ScratchUse)" path="/param"/>
    public static float* Of(ushort* source, int rows, int columns, ref int step, ScratchUse use)
    {
        float* copy = Scratch.Get<float>(use, (nint)rows * columns);
        Widen(source, step, rows, columns, copy);
        step = columns;
        return copy;
    }

    /// <summary>Rounds a matrix to bfloat16.</summary>
    public static void Round(float* source, nint step, int rows, int columns, float* copy) =>
        Run(new RowTask(source, null, step, rows, columns, copy), rows, columns);

    /// <summary>Widens a bfloat16 matrix.</summary>
    public static void Widen(ushort* source, nint step, int rows, int columns, float* copy) =>
        Run(new RowTask(null, source, step, rows, columns, copy), rows, columns);

    private static void Run(in RowTask task, int rows, int columns)
    {
        if (rows > 0 && columns > 0) ThreadTeam.Run(SimdTask.Parts(rows, SimdTask.RowsPerPart(columns)), task);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Round(Vector<float> value)
    {
        Vector<uint> bits = value.As<float, uint>();
        Vector<uint> rounded = bits + Vector.Create(0x7FFFu) + ((bits >>> 16) & Vector<uint>.One);
        Vector<uint> kept = Vector.ConditionalSelect(Vector.Equals(value, value).As<int, uint>(), rounded, bits | Vector.Create(0x400000u));
        return (kept & Vector.Create(0xFFFF0000u)).As<uint, float>();
    }

    private readonly struct RowTask(float* source, ushort* narrow, nint step, int rows, int columns, float* copy) : IParallelTask
    {
        public void Run(int index)
        {
            nint perPart = SimdTask.RowsPerPart(columns);
            for (nint row = index * perPart; row < Math.Min(rows, (index + 1) * perPart); row++)
            {
                float* to = copy + row * columns;
                int j = 0;
                if (source != null)
                {
                    float* from = source + row * step;
                    for (; j <= columns - Vector<float>.Count; j += Vector<float>.Count) Vector.Store(Round(Vector.Load(from + j)), to + j);
                    for (; j < columns; j++) to[j] = Conversion.FromBFloat16Bits(Conversion.ToBFloat16Bits(from[j]));
                }
                else
                {
                    ushort* from = narrow + row * step;
                    for (; j < columns; j++) to[j] = Conversion.FromBFloat16Bits(from[j]);
                }
            }
        }
    }
}
