using System.Runtime.Intrinsics;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;

namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

/// <summary>
/// <c>ldmatrix</c>: 8 x 8 matrices of 16 bits; lanes 8m to 8m+7 name the rows of matrix m, and lane i gets elements 2(i%4) and
/// 2(i%4)+1 of row i/4, or with .trans the same of the transposed matrix.
/// </summary>
internal sealed unsafe class LoadMatrix(MemoryTarget target, Slot[] to, bool transposed) : MemoryAccess(target, 16)
{
    public override OperationFlow Flow => OperationFlow.Gather;

    public override void Execute(Warp warp, uint mask)
    {
        if (mask != uint.MaxValue)
            throw warp.Fault(this, System.Numerics.BitOperations.TrailingZeroCount(mask), "runs ldmatrix without all 32 lanes of its warp");
        var rows = stackalloc ushort[8 * 8 * to.Length];
        for (var lane = 0; lane < 8 * to.Length; lane++)
        {
            var from = Locate(warp, lane, Address(warp, lane), MemoryUse.Read);
            new ReadOnlySpan<ushort>(from, 8).CopyTo(new Span<ushort>(rows + 8 * lane, 8));
        }
        for (var m = 0; m < to.Length; m++)
        {
            var d = (uint*)(warp.Registers + to[m].Offset);
            var matrix = rows + 64 * m;
            for (var lane = 0; lane < 32; lane++)
            {
                int row = lane >> 2, column = 2 * (lane & 3);
                d[lane] = transposed
                    ? matrix[8 * column + row] | (uint)matrix[8 * (column + 1) + row] << 16
                    : matrix[8 * row + column] | (uint)matrix[8 * row + column + 1] << 16;
            }
        }
    }
}

/// <summary>The element types of the operands of <c>mma</c>.</summary>
internal enum MatrixElement
{
    BFloat16,
    Float16,
    TensorFloat32,
}

/// <summary>
/// <c>mma.sync</c> m16n8kK with float32 accumulators. With g = lane / 4 and t = lane % 4, and e = 2 elements a register of
/// 16-bit operands (1 of tf32): registers of A are at rows g, g+8, g, g+8 and columns e*t on, the second two e*4 further;
/// registers of B at rows e*t and e*4 further, column g; c0, c1 at row g, columns 2t, 2t+1, and c2, c3 at row g+8.
/// Products and their sum are exact to double precision and are rounded once.
/// </summary>
internal sealed unsafe class MatrixMultiply(MatrixElement element, int k, Slot[] d, Slot[] a, Slot[] b, Slot[] c) : Operation
{
    public override OperationFlow Flow => OperationFlow.Gather;

    public override void Execute(Warp warp, uint mask)
    {
        if (mask != uint.MaxValue)
            throw warp.Fault(this, System.Numerics.BitOperations.TrailingZeroCount(mask), "runs mma without all 32 lanes of its warp");
        var left = stackalloc double[16 * k];
        var right = stackalloc double[k * 8];
        var sums = stackalloc double[16 * 8];
        var elements = element == MatrixElement.TensorFloat32 ? 1 : 2;
        for (var r = 0; r < a.Length; r++)
        {
            var from = (uint*)(warp.Registers + a[r].Offset);
            for (var lane = 0; lane < 32; lane++)
            {
                var row = (lane >> 2) + 8 * (r & 1);
                var column = elements * ((lane & 3) + 4 * (r >> 1));
                for (var e = 0; e < elements; e++)
                    left[row * k + column + e] = Element(from[lane], e);
            }
        }
        for (var r = 0; r < b.Length; r++)
        {
            var from = (uint*)(warp.Registers + b[r].Offset);
            for (var lane = 0; lane < 32; lane++)
            {
                var row = elements * ((lane & 3) + 4 * r);
                for (var e = 0; e < elements; e++)
                    right[(row + e) * 8 + (lane >> 2)] = Element(from[lane], e);
            }
        }
        for (var r = 0; r < 4; r++)
        {
            var from = (float*)(warp.Registers + c[r].Offset);
            for (var lane = 0; lane < 32; lane++)
                sums[Place(r, lane)] = from[lane];
        }
        for (var row = 0; row < 16; row++)
        {
            var sum = Vector512.Load(sums + 8 * row);
            for (var i = 0; i < k; i++)
                sum = Vector512.FusedMultiplyAdd(Vector512.Create(left[row * k + i]), Vector512.Load(right + 8 * i), sum);
            sum.Store(sums + 8 * row);
        }
        for (var r = 0; r < 4; r++)
        {
            var to = (float*)(warp.Registers + d[r].Offset);
            for (var lane = 0; lane < 32; lane++)
                to[lane] = (float)sums[Place(r, lane)];
        }
    }

    private static int Place(int register, int lane) => ((lane >> 2) + 8 * (register >> 1)) * 8 + 2 * (lane & 3) + (register & 1);

    private double Element(uint bits, int e) => element switch
    {
        MatrixElement.BFloat16 => BitConverter.UInt32BitsToSingle(e == 0 ? bits << 16 : bits & 0xFFFF0000),
        MatrixElement.Float16 => (double)BitConverter.UInt16BitsToHalf((ushort)(bits >> (16 * e))),
        // The hardware reads the sign, 8 bits of exponent and 10 of mantissa.
        _ => BitConverter.UInt32BitsToSingle(bits & 0xFFFFE000),
    };
}
