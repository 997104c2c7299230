using LoRA2.Native.Cuda.Tests.Emulation;

namespace LoRA2.Native.Cuda.Tests.Interpreter;

/// <summary>Divergence, loops, barriers.</summary>
public sealed unsafe class ControlFlowTests
{
    private const string StoreResult = """
        mul.wide.u32 %rd20, %r0, 4;
        add.u64 %rd20, %rd20, %rd0;
        st.global.u32 [%rd20], %r1;
        """;

    [Fact]
    public void LanesMayGoDifferentWays()
    {
        using var run = new PtxRun();
        var y = run.Array(new uint[50]);
        run.Run($"""
            and.b32 %r2, %r0, 1;
            setp.eq.u32 %p1, %r2, 1;
            @%p1 bra ODD;
            mov.u32 %r1, 10;
            bra.uni JOIN;
            ODD:
            add.u32 %r1, %r0, 100;
            JOIN:
            {StoreResult}
            """, 50);
        for (var i = 0; i < 50; i++)
            Assert.Equal(i % 2 == 1 ? (uint)i + 100 : 10, y[i]);
    }

    [Fact]
    public void LanesThatPromiseToGoTheSameWayMust()
    {
        using var run = new PtxRun();
        run.Array(new uint[32]);
        const string Text = """
            setp.lt.u32 %p1, %r0, 9;
            @%p1 bra.uni SKIP;
            mov.u32 %r1, 1;
            SKIP:
            bar.warp.sync -1;
            """;
        var error = Assert.Throws<PtxException>(() => run.Run(Text, 32));
        Assert.Contains("does not go where lane 0 goes, at a branch that is said to be uniform", error.Message);
        run.Run(Text.Replace("9;", "32;"), 32);
        run.Run(Text.Replace("bra.uni", "bra"), 32);
    }

    /// <summary>Also where an earlier block left something in it, and where other lanes have written it.</summary>
    [Fact]
    public void ARegisterThatWasNotWrittenIsAllOnes()
    {
        using var run = new PtxRun();
        var y = run.Array(new uint[96]);
        run.Run($"""
            mov.u32 %r3, %ctaid.x;
            setp.lt.u32 %p1, %r0, 9;
            @%p1 mov.u32 %r1, 7;
            setp.lt.u32 %p2, %r0, 16;
            @%p2 bra SKIP;
            mov.u32 %r2, 8;
            SKIP:
            mad.lo.u32 %r0, %r3, 32, %r0;
            mul.wide.u32 %rd20, %r0, 4;
            add.u64 %rd20, %rd20, %rd0;
            and.b32 %r1, %r1, %r2;
            st.global.u32 [%rd20], %r1;
            mov.u32 %r1, 1;
            mov.u32 %r2, 2;
            """, 32, 3);
        for (var i = 0; i < 96; i++)
            Assert.Equal((i % 32 < 9 ? 7 : uint.MaxValue) & (i % 32 < 16 ? uint.MaxValue : 8), y[i]);
    }

    [Fact]
    public void LanesLeaveALoopWhenTheyAreDone()
    {
        using var run = new PtxRun();
        var y = run.Array(new uint[64]);
        // Lane i adds 0 + 1 + ... + i; then all lanes of the warp must be together again for the shuffle.
        run.Run($"""
            mov.u32 %r1, 0;
            mov.u32 %r2, 0;
            HEAD:
            setp.gt.u32 %p1, %r2, %r0;
            @%p1 bra DONE;
            add.u32 %r1, %r1, %r2;
            add.u32 %r2, %r2, 1;
            bra.uni HEAD;
            DONE:
            shfl.sync.bfly.b32 %r3, %r1, 1, 31, -1;
            add.u32 %r1, %r1, %r3;
            {StoreResult}
            """, 64);
        for (var i = 0; i < 64; i++)
            Assert.Equal((uint)((i * (i + 1) / 2) + ((i ^ 1) * ((i ^ 1) + 1) / 2)), y[i]);
    }

    [Fact]
    public void ABranchWrittenBeyondItsJoinMeetsAgainAtTheBarrier()
    {
        // As ILGPU lays blocks out: the body of the if comes last and jumps back.
        using var run = new PtxRun();
        var y = run.Array(new uint[64]);
        run.Run($$"""
            .shared .align 4 .b8 s[8];
            mov.u64 %rd10, s;
            and.b32 %r2, %r0, 31;
            setp.eq.u32 %p1, %r2, 0;
            @%p1 bra FIRST;
            JOIN:
            bar.sync 0;
            ld.shared.u32 %r1, [%rd10+4];
            {{StoreResult}}
            ret;
            FIRST:
            shr.u32 %r3, %r0, 5;
            mul.wide.u32 %rd11, %r3, 4;
            add.u64 %rd11, %rd11, %rd10;
            st.shared.u32 [%rd11], %r0;
            bra.uni JOIN;
            """, 64);
        for (var i = 0; i < 64; i++)
            Assert.Equal(32u, y[i]);
    }

    [Fact]
    public void ABarrierNotReachedByAllIsAnError()
    {
        using var run = new PtxRun();
        run.Array(new uint[64]);
        var error = Assert.Throws<PtxException>(() => run.Run("setp.lt.u32 %p1, %r0, 40;\n@%p1 bra END;\nbar.sync 0;\nEND:", 64));
        Assert.Contains("barrier", error.Message);
    }

    [Fact]
    public void ABarrierThatHalfAWarpSkipsIsAnError()
    {
        using var run = new PtxRun();
        run.Array(new uint[32]);
        var error = Assert.Throws<PtxException>(() => run.Run("setp.lt.u32 %p1, %r0, 16;\n@%p1 bra SKIP;\nbar.sync 0;\nSKIP:\nbar.sync 1;", 32));
        Assert.Contains("deadlock", error.Message);
    }

    [Fact]
    public void AnEndlessLoopIsAnError()
    {
        using var run = new PtxRun();
        run.Machine.BranchLimit = 1000;
        run.Array(0u);
        Assert.Throws<PtxException>(() => run.Run("AGAIN:\nbra.uni AGAIN;", 1));
    }
}
