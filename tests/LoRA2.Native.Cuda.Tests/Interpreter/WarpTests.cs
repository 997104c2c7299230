using LoRA2.Native.Cuda.Tests.Emulation;

namespace LoRA2.Native.Cuda.Tests.Interpreter;

/// <summary>Shuffles, votes, reductions of a block, atomic operations.</summary>
public sealed unsafe class WarpTests
{
    private const string StoreResult = """
        mul.wide.u32 %rd20, %r0, 4;
        add.u64 %rd20, %rd20, %rd0;
        st.global.u32 [%rd20], %r1;
        """;

    [Theory]
    [InlineData("bfly", 3, 31, "x ^ 3")]
    [InlineData("down", 5, 31, "x + 5")]
    [InlineData("up", 5, 0, "x - 5")]
    [InlineData("idx", 7, 31, "7")]
    public void AShuffleReadsAnotherLane(string mode, int b, int c, string source)
    {
        using var run = new PtxRun();
        var y = run.Array(new uint[32]);
        run.Run($"shfl.sync.{mode}.b32 %r1|%p1, %r0, {b}, {c}, -1;\n@!%p1 add.u32 %r1, %r1, 1000;\n{StoreResult}", 32);
        for (var x = 0; x < 32; x++)
        {
            var from = source switch { "x ^ 3" => x ^ 3, "x + 5" => x + 5, "x - 5" => x - 5, _ => 7 };
            Assert.Equal(from is >= 0 and < 32 ? (uint)from : (uint)x + 1000, y[x]);
        }
    }

    [Fact]
    public void AShuffleMayStayInAPartOfTheWarp()
    {
        using var run = new PtxRun();
        var y = run.Array(new uint[32]);
        // Parts of 8 lanes: c holds (32 - 8) << 8 | 31.
        run.Run($"shfl.sync.down.b32 %r1, %r0, 4, 0x181F, -1;\n{StoreResult}", 32);
        for (var x = 0; x < 32; x++)
            Assert.Equal((uint)((x & 7) < 4 ? x + 4 : x), y[x]);
    }

    [Fact]
    public void LanesThatPartedMeetForAShuffle()
    {
        using var run = new PtxRun();
        var y = run.Array(new uint[32]);
        run.Run($"""
            mov.u32 %r2, %r0;
            setp.lt.u32 %p1, %r0, 9;
            @%p1 bra LATE;
            JOIN:
            shfl.sync.idx.b32 %r1, %r2, 3, 31, 0xFFFFFFFF;
            {StoreResult}
            ret;
            LATE:
            add.u32 %r2, %r2, 50;
            bra.uni JOIN;
            """, 32);
        Assert.All(new ReadOnlySpan<uint>(y, 32).ToArray(), v => Assert.Equal(53u, v));
    }

    [Fact]
    public void AShuffleThatSomeLanesSkipIsAnError()
    {
        using var run = new PtxRun();
        run.Array(new uint[32]);
        var error = Assert.Throws<PtxException>(() => run.Run("""
            setp.lt.u32 %p1, %r0, 9;
            @%p1 bra SKIP;
            shfl.sync.idx.b32 %r1, %r0, 3, 31, -1;
            SKIP:
            bar.warp.sync -1;
            """, 32));
        Assert.Contains("deadlock", error.Message);
        Assert.Throws<PtxException>(() => run.Run("setp.lt.u32 %p1, %r0, 9;\n@%p1 shfl.sync.idx.b32 %r1, %r0, 3, 31, -1;", 32));
    }

    [Fact]
    public void VotesAndBlockReductions()
    {
        using var run = new PtxRun();
        var y = run.Array(new uint[64]);
        run.Run($"""
            setp.lt.u32 %p1, %r0, 40;
            vote.sync.ballot.b32 %r2, %p1, -1;
            vote.sync.all.pred %p2, %p1, -1;
            popc.b32 %r2, %r2;
            bar.red.popc.u32 %r3, 0, %p1;
            bar.red.or.pred %p3, 0, %p1;
            mul.lo.u32 %r1, %r2, 1000;
            add.u32 %r1, %r1, %r3;
            @%p2 add.u32 %r1, %r1, 1000000;
            @%p3 add.u32 %r1, %r1, 2000000;
            {StoreResult}
            """, 64);
        Assert.Equal(3032040u, y[0]);
        Assert.Equal(2008040u, y[63]);
    }

    [Fact]
    public void AtomicOperationsFollowOneAnother()
    {
        using var run = new PtxRun();
        var y = run.Array(new uint[192]);
        var x = run.Array(0u, 0u);
        run.Run($"atom.global.add.u32 %r1, [%rd1], 2;\nred.global.max.u32 [%rd1+4], %r0;\nmov.u32 %r2, %ctaid.x;\nmad.lo.u32 %r0, %r2, 64, %r0;\n{StoreResult}", 64, 3);
        Assert.Equal(384u, x[0]);
        Assert.Equal(63u, x[1]);
        Assert.Equal(382u, y[191]);
    }
}
