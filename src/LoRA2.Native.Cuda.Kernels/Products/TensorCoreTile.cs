namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>
/// The inline PTX of <see cref="Gemm"/>: C = A · Bᵀ of bfloat16 operands for one tile of C, on the tensor cores (mma.sync m16n8k16, sums in float32). Tiles
/// of 32 columns of A and B come through a ring of shared memory that cp.async fills some tiles ahead; ldmatrix takes fragments from it one step of 16
/// ahead of their use. Chunks of 16 bytes lie swizzled, so that neither the copies nor ldmatrix meet bank conflicts.
/// <para>
/// Names of macros: BM × BN tile, WM × WN warps, S tiles in the ring, T threads, and NMAJOR: 1 where B is stored as k × n (its fragments are
/// transposed by ldmatrix), 0 where it is stored as n × k.
/// </para>
/// </summary>
internal static class TensorCoreTile
{
    public const string Tile128X256 = "$let BM 128\n$let BN 256\n$let WM 2\n$let WN 4\n$let S 4\n";
    public const string Tile128X128 = "$let BM 128\n$let BN 128\n$let WM 2\n$let WN 2\n$let S 3\n";
    public const string Tile64X64 = "$let BM 64\n$let BN 64\n$let WM 2\n$let WN 2\n$let S 4\n";
    public const string RowsOfN = "$let NMAJOR 0\n";
    public const string RowsOfK = "$let NMAJOR 1\n";

    /// <summary>Declares the registers, which live as long as the kernel, and clears the sums.</summary>
    public const string Declare = """
        $let T 32*WM*WN
        $let MI BM/WM/16
        $let NJ BN/WN/8
        $let ABYTES BM*64
        $let STAGE (BM+BN)*64
        $let APASS BM*4/T
        $let BPASS BN*4/T
        $let AROWS T/4
        $let CHUNKS BN/8
        $let BROWS T/CHUNKS
        .reg .f32 acc<$(MI*NJ*4)>;
        .reg .b32 fa<$(MI*8)>;
        .reg .b32 fb<$(NJ*4)>;
        .reg .b32 lb<$(NJ/2)>;
        .reg .b32 gtid, glane, gwarp, gwm, gwn, gx, gy, gz;
        .reg .b32 gshared, gread, gwrite, gcopyA, gcopyB, gla, glb, gstage;
        .reg .b32 gsegment, gsegments, gcodes, gtiles, glowTiles, gleft, gskip, gissued, gcount, gdone;
        .reg .b64 gA, gArow, gAplane, gAlow, gB, gBrow, gBplane, gLow, gLowRow;
        .reg .b64 gpa, gpb, gqa, gqb, gApass, gBpass, gBstep, gBpassNow, gBstepNow, gLowPass, gLowStep, gw, gv;
        .reg .pred gp, gq;
        $for I 0 MI*NJ*4
        mov.f32 acc$I, 0f00000000;
        $end
        """;

    /// <summary>Operands: shared memory; A, bytes between its rows, between its planes, and from them to the low-rank columns; the same of B; low-rank B, bytes of a row.</summary>
    public const string Operands = """

        cvt.u32.u64 gshared, %0;
        mov.b64 gA, %1;
        mov.b64 gArow, %2;
        mov.b64 gAplane, %3;
        mov.b64 gAlow, %4;
        mov.b64 gB, %5;
        mov.b64 gBrow, %6;
        mov.b64 gBplane, %7;
        mov.b64 gLow, %8;
        mov.b64 gLowRow, %9;
        """;

    /// <summary>Operands: tile row, tile column, codes of the products of planes, their number, tiles of one, low-rank tiles, first product, tiles of it to skip, tiles in all.</summary>
    public const string Multiply = """

        mov.b32 gcodes, %2;
        mov.b32 gsegments, %3;
        mov.b32 gtiles, %4;
        mov.b32 glowTiles, %5;
        mov.b32 gsegment, %6;
        mov.b32 gskip, %7;
        mov.b32 gcount, %8;
        mov.u32 gtid, %%tid.x;
        and.b32 glane, gtid, 31;
        shr.u32 gwarp, gtid, 5;
        div.u32 gwm, gwarp, $WN;
        rem.u32 gwn, gwarp, $WN;

        // A: this thread's chunk in global and in shared memory.
        shr.u32 gx, gtid, 2;
        and.b32 gy, gtid, 3;
        mad.lo.u32 gz, %0, $BM, gx;
        cvt.u64.u32 gw, gz;
        mad.lo.u64 gA, gw, gArow, gA;
        mul.wide.u32 gw, gy, 16;
        add.u64 gA, gA, gw;
        mul.lo.u64 gApass, gArow, $AROWS;
        shr.u32 gz, gx, 1;
        and.b32 gz, gz, 3;
        xor.b32 gz, gz, gy;
        shl.b32 gz, gz, 4;
        mad.lo.u32 gcopyA, gx, 64, gz;

        // B
        $if NMAJOR
        div.u32 gx, gtid, $CHUNKS;
        rem.u32 gy, gtid, $CHUNKS;
        mad.lo.u32 gz, %1, $CHUNKS, gy;
        mul.wide.u32 gw, gz, 16;
        add.u64 gB, gB, gw;
        add.u64 gLow, gLow, gw;
        cvt.u64.u32 gw, gx;
        mad.lo.u64 gB, gw, gBrow, gB;
        mad.lo.u64 gLow, gw, gLowRow, gLow;
        mul.lo.u64 gBpass, gBrow, $BROWS;
        mul.lo.u64 gLowPass, gLowRow, $BROWS;
        mul.lo.u64 gBstep, gBrow, 32;
        mul.lo.u64 gLowStep, gLowRow, 32;
        and.b32 gz, gx, 7;
        xor.b32 gz, gz, gy;
        shl.b32 gz, gz, 4;
        mad.lo.u32 gcopyB, gx, $(BN*2), gz;
        $else
        mad.lo.u32 gz, %1, $BN, gx;
        cvt.u64.u32 gv, gz;
        mul.wide.u32 gw, gy, 16;
        add.u64 gB, gB, gw;
        add.u64 gLow, gLow, gw;
        mad.lo.u64 gB, gv, gBrow, gB;
        mad.lo.u64 gLow, gv, gLowRow, gLow;
        mul.lo.u64 gBpass, gBrow, $AROWS;
        mul.lo.u64 gLowPass, gLowRow, $AROWS;
        mov.u64 gBstep, 64;
        mov.u64 gLowStep, 64;
        mov.b32 gcopyB, gcopyA;
        $end
        add.u32 gcopyA, gcopyA, gshared;
        add.u32 gcopyB, gcopyB, gshared;
        add.u32 gcopyB, gcopyB, $ABYTES;

        // Fragments: this lane's row of A, and of B.
        and.b32 gx, glane, 15;
        mad.lo.u32 gx, gwm, $(BM/WM), gx;
        shr.u32 gy, glane, 4;
        shr.u32 gz, gx, 1;
        and.b32 gz, gz, 3;
        xor.b32 gz, gz, gy;
        shl.b32 gz, gz, 4;
        mad.lo.u32 gla, gx, 64, gz;
        $if NMAJOR
        and.b32 gz, glane, 7;
        mad.lo.u32 gy, gwn, $(BN/WN/8), gy;
        xor.b32 gz, gz, gy;
        shl.b32 gz, gz, 4;
        and.b32 gx, glane, 15;
        mad.lo.u32 glb, gx, $(BN*2), gz;
        $else
        shr.u32 gx, glane, 4;
        shl.b32 gx, gx, 3;
        and.b32 gy, glane, 7;
        add.u32 gx, gx, gy;
        mad.lo.u32 gx, gwn, $(BN/WN), gx;
        shr.u32 gy, glane, 3;
        and.b32 gy, gy, 1;
        shr.u32 gz, gx, 1;
        and.b32 gz, gz, 3;
        xor.b32 gz, gz, gy;
        shl.b32 gz, gz, 4;
        mad.lo.u32 glb, gx, 64, gz;
        $end

        mov.u32 gleft, 0;
        mov.u32 gissued, 0;
        mov.u32 gwrite, 0;
        FILL:

        """ + "$let ID 0\n" + Issue + """

        add.u32 gwrite, gwrite, $STAGE;
        setp.lt.u32 gp, gwrite, $((S-1)*STAGE);
        @gp bra FILL;
        cp.async.wait_group $(S-2);
        bar.sync 0;
        mov.u32 gread, 0;
        mov.u32 gdone, 0;
        setp.eq.u32 gp, gcount, 0;
        @gp bra MULTIPLIED;

        """ + "$let STEP 0\n" + Fragments + """

        MULTIPLY:

        """ + "$let STEP 1\n" + Fragments + "$let ID 1\n" + Issue + """

        add.u32 gwrite, gwrite, $STAGE;
        setp.eq.u32 gp, gwrite, $(S*STAGE);
        selp.b32 gwrite, 0, gwrite, gp;

        """ + "$let STEP 0\n" + Products + """

        add.u32 gread, gread, $STAGE;
        setp.eq.u32 gp, gread, $(S*STAGE);
        selp.b32 gread, 0, gread, gp;
        cp.async.wait_group $(S-2);
        bar.sync 0;

        """ + Fragments + "$let STEP 1\n" + Products + """

        add.u32 gdone, gdone, 1;
        setp.lt.u32 gp, gdone, gcount;
        @gp bra MULTIPLY;
        MULTIPLIED:
        cp.async.wait_all;
        """;

    /// <summary>Operand: which row of warps writes its sums to shared memory, as rows of BN + 8 floats.</summary>
    public const string Stage = """

        bar.sync 0;
        setp.eq.u32 gp, gwm, %0;
        shr.u32 gx, glane, 2;
        and.b32 gy, glane, 3;
        shl.b32 gy, gy, 1;
        mad.lo.u32 gx, gx, $(BN+8), gy;
        mad.lo.u32 gx, gwn, $(BN/WN), gx;
        mad.lo.u32 gx, gx, 4, gshared;
        $for I 0 MI
        $for H 0 2
        $for J 0 NJ
        @gp st.shared.v2.f32 [gx+$(((16*I+8*H)*(BN+8)+8*J)*4)], {acc$((I*NJ+J)*4+2*H), acc$((I*NJ+J)*4+2*H+1)};
        $end
        $end
        $end
        bar.sync 0;
        """;

    /// <summary>Starts the copies of the next tile, if there is one; at the end of a product of planes it goes on to the next, and from the last to the low-rank columns.</summary>
    private const string Issue = """

        setp.ge.u32 gp, gissued, gcount;
        @gp bra ISSUED$ID;
        setp.ne.u32 gp, gleft, 0;
        @gp bra SAME$ID;
        setp.ge.u32 gp, gsegment, gsegments;
        @gp bra LOW$ID;
        shl.b32 gx, gsegment, 2;
        shr.u32 gx, gcodes, gx;
        and.b32 gy, gx, 3;
        shr.u32 gx, gx, 2;
        and.b32 gx, gx, 3;
        cvt.u64.u32 gw, gy;
        mad.lo.u64 gpa, gw, gAplane, gA;
        cvt.u64.u32 gw, gx;
        mad.lo.u64 gpb, gw, gBplane, gB;
        mov.b64 gBpassNow, gBpass;
        mov.b64 gBstepNow, gBstep;
        mov.b32 gleft, gtiles;
        bra NEXT$ID;
        LOW$ID:
        add.u64 gpa, gA, gAlow;
        mov.b64 gpb, gLow;
        mov.b64 gBpassNow, gLowPass;
        mov.b64 gBstepNow, gLowStep;
        mov.b32 gleft, glowTiles;
        NEXT$ID:
        add.u32 gsegment, gsegment, 1;
        sub.u32 gleft, gleft, gskip;
        mul.wide.u32 gw, gskip, 64;
        add.u64 gpa, gpa, gw;
        cvt.u64.u32 gw, gskip;
        mad.lo.u64 gpb, gw, gBstepNow, gpb;
        mov.u32 gskip, 0;
        SAME$ID:
        add.u32 gx, gcopyA, gwrite;
        mov.b64 gqa, gpa;
        $for I 0 APASS
        cp.async.cg.shared.global [gx+$(I*AROWS*64)], [gqa], 16;
        $if I<APASS-1
        add.u64 gqa, gqa, gApass;
        $end
        $end
        add.u32 gx, gcopyB, gwrite;
        mov.b64 gqb, gpb;
        $for I 0 BPASS
        $if NMAJOR
        cp.async.cg.shared.global [gx+$(I*BROWS*BN*2)], [gqb], 16;
        $else
        cp.async.cg.shared.global [gx+$(I*AROWS*64)], [gqb], 16;
        $end
        $if I<BPASS-1
        add.u64 gqb, gqb, gBpassNow;
        $end
        $end
        add.u64 gpa, gpa, 64;
        add.u64 gpb, gpb, gBstepNow;
        sub.u32 gleft, gleft, 1;
        ISSUED$ID:
        cp.async.commit_group;
        add.u32 gissued, gissued, 1;

        """;

    /// <summary>Loads the fragments of step STEP of the tile at gread.</summary>
    private const string Fragments = """

        add.u32 gstage, gshared, gread;
        xor.b32 gx, gla, $(STEP*32);
        add.u32 gx, gx, gstage;
        $for I 0 MI
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {fa$(STEP*MI*4+4*I), fa$(STEP*MI*4+4*I+1), fa$(STEP*MI*4+4*I+2), fa$(STEP*MI*4+4*I+3)}, [gx+$(I*1024)];
        $end
        $if NMAJOR
        $for J 0 NJ/2
        xor.b32 gx, glb, $(J*32);
        add.u32 gx, gx, gstage;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {fb$(STEP*NJ*2+4*J), fb$(STEP*NJ*2+4*J+1), fb$(STEP*NJ*2+4*J+2), fb$(STEP*NJ*2+4*J+3)}, [gx+$(ABYTES+STEP*16*BN*2)];
        $end
        $else
        xor.b32 gx, glb, $(STEP*32);
        add.u32 gx, gx, gstage;
        $for J 0 NJ/2
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {fb$(STEP*NJ*2+4*J), fb$(STEP*NJ*2+4*J+1), fb$(STEP*NJ*2+4*J+2), fb$(STEP*NJ*2+4*J+3)}, [gx+$(ABYTES+J*1024)];
        $end
        $end

        """;

    /// <summary>Multiplies the fragments of step STEP.</summary>
    private const string Products = """

        $for I 0 MI
        $for J 0 NJ
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {acc$((I*NJ+J)*4), acc$((I*NJ+J)*4+1), acc$((I*NJ+J)*4+2), acc$((I*NJ+J)*4+3)}, {fa$(STEP*MI*4+4*I), fa$(STEP*MI*4+4*I+1), fa$(STEP*MI*4+4*I+2), fa$(STEP*MI*4+4*I+3)}, {fb$(STEP*NJ*2+2*J), fb$(STEP*NJ*2+2*J+1)}, {acc$((I*NJ+J)*4), acc$((I*NJ+J)*4+1), acc$((I*NJ+J)*4+2), acc$((I*NJ+J)*4+3)};
        $end
        $end

        """;
}
