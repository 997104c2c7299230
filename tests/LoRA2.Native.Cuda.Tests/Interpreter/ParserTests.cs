using LoRA2.Native.Cuda.Tests.Emulation;

namespace LoRA2.Native.Cuda.Tests.Interpreter;

/// <summary>What is not PTX, or not known, is an error when the text is read.</summary>
public sealed unsafe class ParserTests
{
    [Theory]
    [InlineData("frobnicate.b32 %r1, %r2;", "'frobnicate.b32' is not known")]
    [InlineData("add.sat.s32 %r1, %r2, %r3;", "'.sat'")]
    [InlineData("add.s32 %r1, %r2;", "operands")]
    [InlineData("add.s32 %r1, %rd2, %r3;", "%rd2")]
    [InlineData("add.s32 %r1, %f2, %r3;", "%f2")]
    [InlineData("add.f32 %f1, %f2, 1;", "'1'")]
    [InlineData("mov.b32 %q1, 1;", "'%q1' is not declared")]
    [InlineData("bra NOWHERE;", "'NOWHERE'")]
    [InlineData("cvt.f32.bf16 %f1, %h1;", "sm_90")]
    [InlineData("cvt.rn.bf16x2.f32 %f1, %f2, %f3;\nmov.b32 %q, 1;", "'%q'")]
    [InlineData("cvt.s32.f32 %r1, %f2;", "must have .rni")]
    [InlineData("cp.async.cg.shared.global [%r1], [%rd0], 8;", "8 bytes")]
    [InlineData("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r1, %r2}, {%r1, %r2}, {%f1, %f2, %f3, %f4};", "4 registers")]
    [InlineData("ld.global.L2::128B.f32 %f1, [%rd0];", "needs PTX 7.4")]
    [InlineData("shl.u32 %r1, %r2, 1;", "not known for .u32")]
    public void AnErrorNamesTheLine(string instructions, string what)
    {
        var error = Assert.Throws<PtxException>(() => PtxRun.Module(instructions));
        Assert.Contains("PTX line", error.Message);
        Assert.Contains(what, error.Message);
    }

    [Fact]
    public void HelperFunctionsAreCalled()
    {
        var module = PtxModule.Parse("""
            .version 7.0
            .target sm_80
            .address_size 64
            .func (.param .b32 result) twice(.param .b32 a);
            .global .align 4 .b8 table[8] = {1, 0, 0, 0, 2, 0, 0, 0};
            .visible .func (.param .b32 result) twice(
                .param .b32 a
            )
            {
                .reg .b32 %r<3>;
                .reg .pred %p<2>;
                ld.param.b32 %r1, [a];
                setp.lt.s32 %p1, %r1, 0;
                @%p1 bra NEGATIVE;
                add.s32 %r2, %r1, %r1;
                st.param.b32 [result], %r2;
                ret;
                NEGATIVE:
                st.param.b32 [result], 0;
                ret;
            }
            .visible .entry kernel(.param .b64 y, .param .b32 x)
            {
                .reg .b32 %r<5>;
                .reg .b64 %rd<3>;
                ld.param.b64 %rd1, [y];
                ld.param.b32 %r1, [x];
                {
                    .param .b32 callParam0;
                    st.param.b32 [callParam0], %r1;
                    .param .b32 callRetVal;
                    call.uni (callRetVal), twice, (callParam0);
                    ld.param.b32 %r2, [callRetVal];
                }
                ld.global.u32 %r3, [table+4];
                add.s32 %r2, %r2, %r3;
                st.global.u32 [%rd1], %r2;
                ret;
            }
            """);
        using var machine = new PtxMachine();
        var y = (uint*)machine.Allocate(4);
        machine.Launch(module["kernel"], 1, 1, 0, [(ulong)y, 21]);
        Assert.Equal(44u, *y);
        machine.Launch(module["kernel"], 1, 1, 0, [(ulong)y, 0xFFFFFFFF]);
        Assert.Equal(2u, *y);
    }

    [Fact]
    public void AKernelAnswersQuestionsOfItsStructure()
    {
        var kernel = PtxRun.Module("""
            .local .align 4 .b8 a[16];
            ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd0];
            AGAIN:
            ld.global.f32 %f1, [%rd0];
            st.local.f32 [a], %f1;
            setp.lt.f32 %p1, %f1, %f2;
            @%p1 bra AGAIN;
            ld.local.f32 %f1, [a];
            """)["kernel"];
        Assert.Equal(1, kernel.CountOf("ld.global.v4"));
        Assert.Equal(2, kernel.CountOf("ld.global"));
        Assert.Equal(1, kernel.CountInLoops("ld.global"));
        Assert.Equal(1, kernel.CountInLoops("st.local"));
        Assert.Equal(0, kernel.CountInLoops("ld.local"));
        Assert.Equal(16, kernel.LocalBytes);
    }
}
