using System.Numerics;
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
            throw warp.Fault(this, BitOperations.TrailingZeroCount(mask), "runs ldmatrix without all 32 lanes of its warp");
        var pointers = stackalloc byte*[32];
        Locate(warp, uint.MaxValue >> (32 - (8 * to.Length)), MemoryUse.Read, pointers);
        var columns = stackalloc ushort[64];
        for (var m = 0; m < to.Length; m++)
        {
            // Four lanes' registers, one after another, are the 16 bytes of a row.
            var d = (Vector128<ushort>*)(warp.Registers + to[m].Offset);
            if (!transposed)
            {
                for (var row = 0; row < 8; row++)
                    d[row] = *(Vector128<ushort>*)pointers[(8 * m) + row];
                continue;
            }
            for (var row = 0; row < 8; row++)
            {
                for (var column = 0; column < 8; column++)
                    columns[(8 * column) + row] = ((ushort*)pointers[(8 * m) + row])[column];
            }
            for (var column = 0; column < 8; column++)
                d[column] = ((Vector128<ushort>*)columns)[column];
        }
    }
}

/// <summary>The elements of the operands of <c>mma</c>.</summary>
internal unsafe interface IMatrixElement
{
    /// <summary>Elements a register holds.</summary>
    static abstract int PerRegister { get; }

    /// <summary>Element <paramref name="i"/> of registers that lie one after another.</summary>
    static abstract double Read(void* registers, int i);
}

internal readonly unsafe struct BFloat16Element : IMatrixElement
{
    public static int PerRegister => 2;

    public static double Read(void* registers, int i) => BitConverter.UInt32BitsToSingle((uint)((ushort*)registers)[i] << 16);
}

internal readonly unsafe struct Float16Element : IMatrixElement
{
    public static int PerRegister => 2;

    public static double Read(void* registers, int i) => (double)((Half*)registers)[i];
}

/// <summary>The sign, 8 bits of exponent and 10 of mantissa: the hardware does not read the rest.</summary>
internal readonly unsafe struct TensorFloat32Element : IMatrixElement
{
    public static int PerRegister => 1;

    public static double Read(void* registers, int i) => BitConverter.UInt32BitsToSingle(((uint*)registers)[i] & 0xFFFFE000);
}

/// <summary>
/// <c>mma.sync</c> m16n8kK with float32 accumulators. With g = lane / 4 and t = lane % 4, and e elements a register (2, or 1 of
/// tf32): registers of A are at rows g, g+8, g, g+8 and columns e*t on, the second two e*4 further; registers of B at rows e*t
/// and e*4 further, column g; c0, c1 at row g, columns 2t, 2t+1, and c2, c3 at row g+8. So the registers of four lanes, one
/// after another, are a piece of a row of A or C or of a column of B.
/// Products and their sum are exact to double precision and are rounded once.
/// </summary>
internal sealed unsafe class MatrixMultiply<TElement>(Slot[] d, Slot[] a, Slot[] b, Slot[] c) : Operation
    where TElement : IMatrixElement
{
    public override OperationFlow Flow => OperationFlow.Gather;

    public override void Execute(Warp warp, uint mask)
    {
        if (mask != uint.MaxValue)
            throw warp.Fault(this, BitOperations.TrailingZeroCount(mask), "runs mma without all 32 lanes of its warp");
        var piece = 4 * TElement.PerRegister;
        var right = stackalloc double[16 * 8];
        for (var r = 0; r < b.Length; r++)
        {
            var from = warp.Registers + b[r].Offset;
            for (var column = 0; column < 8; column++)
            {
                for (var k = 0; k < piece; k++)
                    right[(8 * ((piece * r) + k)) + column] = TElement.Read(from, (piece * column) + k);
            }
        }
        var sums = stackalloc Vector512<double>[16];
        for (var row = 0; row < 16; row++)
        {
            var half = row >> 3;
            var g = row & 7;
            var even = (float*)(warp.Registers + c[2 * half].Offset) + (4 * g);
            var odd = (float*)(warp.Registers + c[(2 * half) + 1].Offset) + (4 * g);
            var sum = Vector512.Create(even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], (double)odd[3]);
            for (var r = half; r < a.Length; r += 2)
            {
                var from = warp.Registers + a[r].Offset;
                for (var k = 0; k < piece; k++)
                {
                    var factors = Vector512.Load(right + (8 * ((piece * (r >> 1)) + k)));
                    sum = Vector512.FusedMultiplyAdd(Vector512.Create(TElement.Read(from, (piece * g) + k)), factors, sum);
                }
            }
            sums[row] = sum;
        }
        for (var row = 0; row < 16; row++)
        {
            var even = (float*)(warp.Registers + d[row >> 3 << 1].Offset) + (4 * (row & 7));
            var odd = (float*)(warp.Registers + d[(row >> 3 << 1) + 1].Offset) + (4 * (row & 7));
            for (var t = 0; t < 4; t++)
            {
                even[t] = (float)sums[row][2 * t];
                odd[t] = (float)sums[row][(2 * t) + 1];
            }
        }
    }
}
