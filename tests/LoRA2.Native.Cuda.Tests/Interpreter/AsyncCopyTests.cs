using LoRA2.Native.Cuda.Tests.Emulation;

namespace LoRA2.Native.Cuda.Tests.Interpreter;

/// <summary><c>cp.async</c>: what it copies arrives at the wait, and for other warps after the barrier.</summary>
public sealed unsafe class AsyncCopyTests
{
    // Thread i copies word i of p1; then thread i stores word i ^ 32 of shared memory to p0.
    private const string Head = """
        mov.u64 %rd10, dynamic;
        mul.wide.u32 %rd11, %r0, 4;
        add.u64 %rd12, %rd1, %rd11;
        add.u64 %rd13, %rd10, %rd11;
        cp.async.ca.shared.global [%rd13], [%rd12], 4;
        cp.async.commit_group;
        """;

    private const string Tail = """
        xor.b32 %r1, %r0, 32;
        mul.wide.u32 %rd14, %r1, 4;
        add.u64 %rd14, %rd14, %rd10;
        ld.shared.u32 %r2, [%rd14];
        add.u64 %rd15, %rd0, %rd11;
        st.global.u32 [%rd15], %r2;
        """;

    [Theory]
    [InlineData("cp.async.wait_group 0;\nbar.sync 0;", null)]
    [InlineData("cp.async.wait_all;\nbar.sync 0;", null)]
    [InlineData("cp.async.wait_group 1;\nbar.sync 0;", "has not been waited for")]
    [InlineData("bar.sync 0;", "has not been waited for")]
    [InlineData("cp.async.wait_group 0;", "a race")]
    [InlineData("bar.sync 0;\ncp.async.wait_group 0;", "a race")]
    public void AReadMustWait(string between, string? error)
    {
        using var run = new PtxRun();
        var y = run.Array(new uint[64]);
        run.Array(Enumerable.Range(0, 64).Select(i => (uint)(1000 + i)).ToArray());
        void Run() => run.Run($"{Head}\n{between}\n{Tail}", 64, shared: 256);
        if (error is not null)
        {
            var thrown = Assert.Throws<PtxException>(Run);
            Assert.True(thrown.Message.Contains(error) || thrown.Message.Contains("has not been waited for"), thrown.Message);
            return;
        }
        Run();
        for (var i = 0; i < 64; i++)
            Assert.Equal((uint)(1000 + (i ^ 32)), y[i]);
    }

    [Fact]
    public void AWaitLeavesTheLatestGroupsOpen()
    {
        using var run = new PtxRun();
        var y = run.Array(new uint[4]);
        run.Array(1u, 2u, 3u, 4u);
        const string TwoGroups = """
            cp.async.ca.shared.global [dynamic], [%rd1], 4;
            cp.async.commit_group;
            cp.async.ca.shared.global [dynamic+4], [%rd1+4], 4;
            cp.async.commit_group;
            cp.async.wait_group 1;
            """;
        run.Run(TwoGroups + "ld.shared.u32 %r1, [dynamic];\nst.global.u32 [%rd0], %r1;", 1, shared: 64);
        Assert.Equal(1u, y[0]);
        Assert.Throws<PtxException>(() => run.Run(TwoGroups + "ld.shared.u32 %r1, [dynamic+4];", 1, shared: 64));
    }

    [Fact]
    public void BytesPastTheSourceSizeAreZerosAndAreNotRead()
    {
        using var run = new PtxRun();
        var y = run.Array(new uint[8]);
        run.Array(1u, 2u, 3u);
        run.Run("""
            mov.u32 %r1, 12;
            mov.u32 %r2, 0;
            cp.async.cg.shared.global [dynamic], [%rd1], 16, %r1;
            cp.async.cg.shared.global [dynamic+16], [%rd1+1024], 16, %r2;
            cp.async.wait_all;
            ld.shared.v4.u32 {%r3, %r4, %r5, %r6}, [dynamic];
            st.global.v4.u32 [%rd0], {%r3, %r4, %r5, %r6};
            ld.shared.v4.u32 {%r3, %r4, %r5, %r6}, [dynamic+16];
            st.global.v4.u32 [%rd0+16], {%r3, %r4, %r5, %r6};
            """, 1, shared: 64);
        Assert.Equal([1u, 2u, 3u, 0u, 0u, 0u, 0u, 0u], new ReadOnlySpan<uint>(y, 8).ToArray());
    }

    [Fact]
    public void AnOverwrittenBufferThatIsStillReadIsARace()
    {
        using var run = new PtxRun();
        run.Array(new uint[64]);
        run.Array(new uint[64]);
        // Without a barrier after the reads, the next copy may arrive before another warp has read.
        Assert.Contains("a race", Assert.Throws<PtxException>(() => run.Run($"{Head}\ncp.async.wait_all;\nbar.sync 0;\n{Tail}\n{Head}", 64, shared: 256)).Message);
    }
}
