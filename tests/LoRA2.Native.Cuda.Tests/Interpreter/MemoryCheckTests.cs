using LoRA2.Native.Cuda.Tests.Emulation;

namespace LoRA2.Native.Cuda.Tests.Interpreter;

/// <summary>Accesses out of bounds, misaligned, or in a race are errors that name the thread and the line.</summary>
public sealed unsafe class MemoryCheckTests
{
    private const string Address = """
        mul.wide.u32 %rd20, %r0, 4;
        add.u64 %rd20, %rd20, %rd0;
        """;

    [Theory]
    [InlineData("ld.global.u32 %r1, [%rd20];", "reads 4 bytes")]
    [InlineData("st.global.u32 [%rd20], %r0;", "writes 4 bytes")]
    [InlineData("ld.u32 %r1, [%rd20];", "reads 4 bytes")]
    [InlineData("atom.global.add.u32 %r1, [%rd20], %r0;", "changes 4 bytes")]
    [InlineData("cp.async.ca.shared.global [%rd10], [%rd20], 4;", "reads 4 bytes")]
    public void AnAccessBeyondAnArrayIsAnError(string instruction, string what)
    {
        using var run = new PtxRun();
        run.Array(new uint[20]);
        var error = Assert.Throws<PtxException>(() => run.Run($".shared .align 4 .b8 s[256];\nmov.u64 %rd10, s;\nmul.wide.u32 %rd11, %r0, 4;\nadd.u64 %rd10, %rd10, %rd11;\n{Address}\n{instruction}", 21));
        Assert.Contains("thread (20, 0, 0) of block (0, 0, 0)", error.Message);
        Assert.Contains(what, error.Message);
        Assert.Contains("80 bytes from the start of an allocation of 80 bytes", error.Message);
    }

    [Fact]
    public void AFreedArrayIsGone()
    {
        using var run = new PtxRun();
        var y = run.Array(1u);
        run.Machine.Free((nint)y);
        Assert.Throws<PtxException>(() => run.Run("ld.global.u32 %r1, [%rd0];", 1));
    }

    [Theory]
    [InlineData("ld.global.u32 %r1, [%rd0+2];")]
    [InlineData("ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd0+4];")]
    [InlineData("ld.global.u64 %rd1, [%rd0+4];")]
    [InlineData("ld.shared.v2.u32 {%r1, %r2}, [dynamic+4];")]
    [InlineData("cp.async.cg.shared.global [dynamic], [%rd0+8], 16;")]
    public void AMisalignedAccessIsAnError(string instruction)
    {
        using var run = new PtxRun();
        run.Array(new uint[16]);
        Assert.Contains("not a multiple of", Assert.Throws<PtxException>(() => run.Run(instruction, 1, shared: 64)).Message);
    }

    [Theory]
    [InlineData("st.shared.u32 [dynamic+64], %r0;", "outside")]
    [InlineData("st.shared.u32 [dynamic+-4], %r0;", "outside")]
    [InlineData(".shared .b32 a[2];\n.shared .b32 b[2];\nst.shared.u32 [a+8], %r0;", "no variable")]
    [InlineData("mov.u64 %rd1, dynamic;\ncvta.shared.u64 %rd1, %rd1;\nst.u32 [%rd1+64], %r0;", "outside")]
    [InlineData(".local .align 4 .b8 a[16];\nst.local.u32 [a+16], %r0;", "local")]
    public void AnAccessOutsideSharedOrLocalMemoryIsAnError(string instructions, string what)
    {
        using var run = new PtxRun();
        run.Array(0u);
        Assert.Contains(what, Assert.Throws<PtxException>(() => run.Run(instructions, 1, shared: 64)).Message);
    }

    [Fact]
    public void MemoryThatWasNotWrittenIsAllOnes()
    {
        using var run = new PtxRun();
        var y = run.Array(0u, 0u, 0u);
        var x = run.Machine.Allocate(4);
        run.Number((ulong)x);
        run.Run("ld.shared.u32 %r1, [dynamic];\nld.global.u32 %r2, [%rd1];\nst.global.u32 [%rd0], %r1;\nst.global.u32 [%rd0+4], %r2;\nst.global.u32 [%rd0+8], %r3;", 1, shared: 16);
        Assert.All(new[] { y[0], y[1], y[2] }, v => Assert.Equal(uint.MaxValue, v));
    }

    [Theory]
    [InlineData("")]
    [InlineData("bar.sync 0;")]
    public void WarpsMustMeetBetweenAWriteAndARead(string barrier)
    {
        using var run = new PtxRun();
        var y = run.Array(new uint[64]);
        void Run() => run.Run($"""
            mov.u64 %rd10, dynamic;
            mul.wide.u32 %rd11, %r0, 4;
            add.u64 %rd11, %rd11, %rd10;
            st.shared.u32 [%rd11], %r0;
            {barrier}
            xor.b32 %r1, %r0, 32;
            mul.wide.u32 %rd11, %r1, 4;
            add.u64 %rd11, %rd11, %rd10;
            ld.shared.u32 %r2, [%rd11];
            {Address}
            st.global.u32 [%rd20], %r2;
            """, 64, shared: 256);
        if (barrier.Length == 0)
        {
            Assert.Contains("a race", Assert.Throws<PtxException>(Run).Message);
            return;
        }
        Run();
        for (var i = 0; i < 64; i++)
            Assert.Equal((uint)i ^ 32, y[i]);
    }

    [Fact]
    public void AWriteAfterAnotherWarpsReadIsARace()
    {
        using var run = new PtxRun();
        run.Array(new uint[64]);
        var error = Assert.Throws<PtxException>(() => run.Run("""
            ld.shared.u32 %r1, [dynamic];
            setp.eq.u32 %p1, %r0, 32;
            @%p1 st.shared.u32 [dynamic], %r0;
            """, 64, shared: 256));
        Assert.Contains("has read", error.Message);
    }

    [Fact]
    public void HalvesOfAWordMayBelongToTwoWarps()
    {
        using var run = new PtxRun();
        run.Array(new uint[64]);
        run.Run("""
            shr.u32 %r1, %r0, 5;
            mul.lo.u32 %r1, %r1, 2;
            cvt.u64.u32 %rd1, %r1;
            mov.u64 %rd2, dynamic;
            add.u64 %rd2, %rd2, %rd1;
            mov.u16 %h1, 7;
            st.shared.u16 [%rd2], %h1;
            """, 64, shared: 256);
    }

    [Theory]
    [InlineData("st.global.u32 [%rd0], %r0;", 1, 2, true)]
    [InlineData("st.global.u32 [%rd0], %r0;", 64, 1, true)]
    [InlineData("mov.u32 %r2, %ctaid.x;\nsetp.eq.u32 %p1, %r2, 1;\nld.global.u32 %r1, [%rd0];\n@%p1 st.global.u32 [%rd0], %r0;", 1, 2, true)]
    [InlineData("ld.global.u32 %r1, [%rd0];\nbar.sync 0;\nsetp.eq.u32 %p1, %r0, 40;\n@%p1 st.global.u32 [%rd0], %r0;", 64, 1, false)]
    [InlineData("ld.global.u32 %r1, [%rd0];\natom.global.add.u32 %r1, [%rd0+4], 1;", 64, 3, false)]
    public void ThreadsMustNotRaceForGlobalMemory(string instructions, int threads, int blocks, bool race)
    {
        using var run = new PtxRun();
        run.Array(new uint[2]);
        if (!race)
            run.Run(instructions, threads, blocks);
        else
            Assert.Contains("a race", Assert.Throws<PtxException>(() => run.Run(instructions, threads, blocks)).Message);
    }
}
