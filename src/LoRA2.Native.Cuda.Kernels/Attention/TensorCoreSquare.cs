namespace LoRA2.Native.Cuda.Kernels.Attention;

/// <summary>
/// The inline PTX of <see cref="AttentionTile"/>: a product of two 64 × 64 tiles of bfloat16 in shared memory on the tensor cores by eight warps, 16 × 32 of the result each, which
/// then takes their place as rows of 68 floats. Operands are lines of 128 bytes whose chunks of 16 are swizzled: lines are rows, or steps of depth (AT, BT: 1), which ldmatrix
/// transposes. The right one follows the left one.
/// </summary>
internal static class TensorCoreSquare
{
    public const string RowsByRows = "$let AT 0\n$let BT 0\n" + Multiply;
    public const string RowsByDepth = "$let AT 0\n$let BT 1\n" + Multiply;
    public const string DepthByRows = "$let AT 1\n$let BT 0\n" + Multiply;
    public const string DepthByDepth = "$let AT 1\n$let BT 1\n" + Multiply;

    /// <summary>Operand: the address of shared memory.</summary>
    private const string Multiply = """
        {
        .reg .f32 sums<16>;
        .reg .b32 fa<4>;
        .reg .b32 fb<8>;
        .reg .b32 base, tid, lane, row, column, x, y, z, atA, atB, swapA, swapB;
        cvt.u32.u64 base, %0;
        mov.u32 tid, %%tid.x;
        and.b32 lane, tid, 31;
        shr.u32 x, tid, 5;
        and.b32 row, x, 3;
        shl.b32 row, row, 4;
        shr.u32 column, x, 2;
        shl.b32 column, column, 5;
        $for I 0 16
        mov.f32 sums$I, 0f00000000;
        $end

        and.b32 x, lane, 7;
        shr.u32 y, lane, 4;
        shr.u32 z, lane, 3;
        and.b32 z, z, 1;
        $if AT
        mad.lo.u32 atA, y, 8, x;
        shl.b32 atA, atA, 7;
        shr.u32 swapA, row, 3;
        add.u32 swapA, swapA, z;
        $else
        mad.lo.u32 atA, z, 8, x;
        add.u32 atA, atA, row;
        shl.b32 atA, atA, 7;
        mov.b32 swapA, y;
        $end
        $if BT
        mad.lo.u32 atB, z, 8, x;
        shl.b32 atB, atB, 7;
        shr.u32 swapB, column, 3;
        add.u32 swapB, swapB, y;
        $else
        mad.lo.u32 atB, y, 8, x;
        add.u32 atB, atB, column;
        shl.b32 atB, atB, 7;
        mov.b32 swapB, z;
        $end
        add.u32 atA, atA, base;
        add.u32 atB, atB, base;
        add.u32 atB, atB, 8192;
        $for S 0 4
        $if AT
        xor.b32 z, swapA, x;
        mad.lo.u32 z, z, 16, atA;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {fa0, fa1, fa2, fa3}, [z+$(S*2048)];
        $else
        add.u32 z, swapA, $(2*S);
        xor.b32 z, z, x;
        mad.lo.u32 z, z, 16, atA;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {fa0, fa1, fa2, fa3}, [z];
        $end
        $for J 0 2
        $if BT
        add.u32 z, swapB, $(2*J);
        xor.b32 z, z, x;
        mad.lo.u32 z, z, 16, atB;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {fb$(4*J), fb$(4*J+1), fb$(4*J+2), fb$(4*J+3)}, [z+$(S*2048)];
        $else
        add.u32 z, swapB, $(2*S);
        xor.b32 z, z, x;
        mad.lo.u32 z, z, 16, atB;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {fb$(4*J), fb$(4*J+1), fb$(4*J+2), fb$(4*J+3)}, [z+$(J*2048)];
        $end
        $end
        $for J 0 4
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {sums$(4*J), sums$(4*J+1), sums$(4*J+2), sums$(4*J+3)}, {fa0, fa1, fa2, fa3}, {fb$(2*J), fb$(2*J+1)}, {sums$(4*J), sums$(4*J+1), sums$(4*J+2), sums$(4*J+3)};
        $end
        $end

        bar.sync 0;
        shr.u32 y, lane, 2;
        and.b32 z, lane, 3;
        shl.b32 z, z, 1;
        add.u32 row, row, y;
        add.u32 column, column, z;
        mad.lo.u32 row, row, 68, column;
        mad.lo.u32 row, row, 4, base;
        $for J 0 4
        st.shared.v2.f32 [row+$(32*J)], {sums$(4*J), sums$(4*J+1)};
        st.shared.v2.f32 [row+$(32*J+8*68*4)], {sums$(4*J+2), sums$(4*J+3)};
        $end
        bar.sync 0;
        }
        """;
}
