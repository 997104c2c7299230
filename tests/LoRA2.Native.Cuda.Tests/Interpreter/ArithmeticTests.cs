using LoRA2.Native.Cuda.Tests.Emulation;

namespace LoRA2.Native.Cuda.Tests.Interpreter;

/// <summary>Instructions on values, one at a time: the result is left in %r1 (or %f1), of inputs %r2, %r3, %r4 (%f2, %f3, %f4).</summary>
public sealed unsafe class ArithmeticTests
{
    [Theory]
    [InlineData("add.s32 %r1, %r2, %r3;", 5u, 0xFFFFFFFDu, 0u, 2u)]
    [InlineData("sub.u32 %r1, %r2, %r3;", 5u, 7u, 0u, 0xFFFFFFFEu)]
    [InlineData("mul.lo.s32 %r1, %r2, %r3;", 0x10001u, 0x10001u, 0u, 0x20001u)]
    [InlineData("mul.hi.u32 %r1, %r2, %r3;", 0xD2511F53u, 0x12345678u, 0u, 0xef4b3b8u)]
    [InlineData("mul.hi.s32 %r1, %r2, %r3;", 0xFFFFFFFFu, 5u, 0u, 0xFFFFFFFFu)]
    [InlineData("mad.lo.s32 %r1, %r2, %r3, %r4;", 3u, 4u, 5u, 17u)]
    [InlineData("mad.hi.u32 %r1, %r2, %r3, %r4;", 0x80000000u, 6u, 5u, 8u)]
    [InlineData("div.s32 %r1, %r2, %r3;", 0xFFFFFFF9u, 2u, 0u, 0xFFFFFFFDu)]
    [InlineData("div.u32 %r1, %r2, %r3;", 7u, 0u, 0u, 0xFFFFFFFFu)]
    [InlineData("rem.s32 %r1, %r2, %r3;", 0xFFFFFFF9u, 2u, 0u, 0xFFFFFFFFu)]
    [InlineData("min.s32 %r1, %r2, %r3;", 0xFFFFFFF9u, 2u, 0u, 0xFFFFFFF9u)]
    [InlineData("min.u32 %r1, %r2, %r3;", 0xFFFFFFF9u, 2u, 0u, 2u)]
    [InlineData("max.s32 %r1, %r2, %r3;", 0xFFFFFFF9u, 2u, 0u, 2u)]
    [InlineData("abs.s32 %r1, %r2;", 0xFFFFFFF9u, 0u, 0u, 7u)]
    [InlineData("neg.s32 %r1, %r2;", 7u, 0u, 0u, 0xFFFFFFF9u)]
    [InlineData("shl.b32 %r1, %r2, %r3;", 3u, 31u, 0u, 0x80000000u)]
    [InlineData("shl.b32 %r1, %r2, %r3;", 3u, 32u, 0u, 0u)]
    [InlineData("shr.s32 %r1, %r2, %r3;", 0x80000000u, 40u, 0u, 0xFFFFFFFFu)]
    [InlineData("shr.u32 %r1, %r2, %r3;", 0x80000000u, 31u, 0u, 1u)]
    [InlineData("shr.u32 %r1, %r2, %r3;", 0xF0000000u, 4u, 0u, 0x0F000000u)]
    [InlineData("shr.s32 %r1, %r2, %r3;", 0xF0000000u, 4u, 0u, 0xFF000000u)]
    [InlineData("mov.b32 %r1, %r3;\nshl.b32 %r1, %r2, %r1;", 3u, 4u, 0u, 48u)]
    [InlineData("not.b32 %r1, %r2;", 0x0F0F0F0Fu, 0u, 0u, 0xF0F0F0F0u)]
    [InlineData("xor.b32 %r1, %r2, %r3;", 0xFF00u, 0x0FF0u, 0u, 0xF0F0u)]
    [InlineData("popc.b32 %r1, %r2;", 0xF0F0u, 0u, 0u, 8u)]
    [InlineData("clz.b32 %r1, %r2;", 0xF0F0u, 0u, 0u, 16u)]
    [InlineData("brev.b32 %r1, %r2;", 0x1u, 0u, 0u, 0x80000000u)]
    [InlineData("bfe.u32 %r1, %r2, %r3, %r4;", 0xABCD1234u, 8u, 8u, 0x12u)]
    [InlineData("bfe.s32 %r1, %r2, %r3, %r4;", 0xABCD1234u, 24u, 8u, 0xFFFFFFABu)]
    [InlineData("bfi.b32 %r1, %r2, %r3, 8, 4;", 0x5u, 0xFFFFFFFFu, 0u, 0xFFFFF5FFu)]
    [InlineData("prmt.b32 %r1, %r2, %r3, 0x7632;", 0x33221100u, 0x77665544u, 0u, 0x77663322u)]
    [InlineData("prmt.b32 %r1, %r2, %r3, %r4;", 0x33229100u, 0x77665544u, 0x0419u, 0x004491FFu)]
    [InlineData("shf.l.wrap.b32 %r1, %r2, %r3, 8;", 0x11223344u, 0x55667788u, 0u, 0x66778811u)]
    [InlineData("shf.r.wrap.b32 %r1, %r2, %r3, 8;", 0x11223344u, 0x55667788u, 0u, 0x88112233u)]
    [InlineData("shf.r.clamp.b32 %r1, %r2, %r3, 32;", 0x11223344u, 0x55667788u, 0u, 0x55667788u)]
    [InlineData("lop3.b32 %r1, %r2, %r3, %r4, 0x96;", 0xFF00FF00u, 0xF0F0F0F0u, 0xCCCCCCCCu, 0xC33CC33Cu)]
    [InlineData("setp.lt.s32 %p1, %r2, %r3;\nselp.b32 %r1, 10, 20, %p1;", 0xFFFFFFFFu, 0u, 0u, 10u)]
    [InlineData("setp.lo.u32 %p1, %r2, %r3;\nselp.b32 %r1, 10, 20, %p1;", 0xFFFFFFFFu, 0u, 0u, 20u)]
    [InlineData("setp.ge.or.s32 %p1|%p2, %r2, %r3, !%p3;\nselp.b32 %r1, 10, 20, %p2;", 4u, 5u, 0u, 10u)]
    [InlineData("mov.b64 %rd5, {%r2, %r3};\nmov.b64 {%r4, %r1}, %rd5;", 1u, 2u, 0u, 2u)]
    [InlineData("mov.b32 {%h1, %h2}, %r2;\nmov.b32 %r1, {%h2, %h1};", 0x12345678u, 0u, 0u, 0x56781234u)]
    [InlineData("mul.wide.u32 %rd5, %r2, %r3;\nmov.b64 {_, %r1}, %rd5;", 0xFFFFFFFFu, 0xFFFFFFFFu, 0u, 0xFFFFFFFEu)]
    [InlineData("mul.wide.s32 %rd5, %r2, %r3;\nmov.b64 {_, %r1}, %rd5;", 0xFFFFFFFFu, 2u, 0u, 0xFFFFFFFFu)]
    [InlineData("{\n.reg .b32 %r2;\nmov.b32 %r2, 42;\nmov.b32 %r1, %r2;\n}", 1u, 0u, 0u, 42u)]
    public void WholeNumbers(string instructions, uint a, uint b, uint c, uint expected)
    {
        using var run = new PtxRun();
        var y = run.Array(a, b, c, 0u);
        string body = $"""
            setp.eq.u32 %p3, 1, 1;
            ld.global.u32 %r2, [%rd0];
            ld.global.u32 %r3, [%rd0+4];
            ld.global.u32 %r4, [%rd0+8];
            {instructions}
            st.global.u32 [%rd0+12], %r1;
            """;
        // A lane alone, and a whole warp, whose lanes are computed as vectors.
        foreach (int threads in (int[])[1, 32])
        {
            y[3] = default;
            run.Run(body, threads);
            Assert.Equal(expected, y[3]);
        }
    }

    [Theory]
    [InlineData("add.f32 %f1, %f2, %f3;", 1.5f, 2.25f, 0f, 3.75f)]
    [InlineData("fma.rn.f32 %f1, %f2, %f3, %f4;", 1.0000001f, 1.0000001f, -1f, 2.3841858E-07f)]
    [InlineData("div.rn.f32 %f1, %f2, %f3;", 1f, 3f, 0f, 1f / 3)]
    [InlineData("min.f32 %f1, %f2, %f3;", float.NaN, 3f, 0f, 3f)]
    [InlineData("max.NaN.f32 %f1, %f2, %f3;", float.NaN, 3f, 0f, float.NaN)]
    [InlineData("neg.f32 %f1, %f2;", 0f, 0f, 0f, -0f)]
    [InlineData("copysign.f32 %f1, %f2, %f3;", -2f, 3f, 0f, -3f)]
    [InlineData("setp.equ.f32 %p1, %f2, %f3;\nselp.f32 %f1, 1.0, 2.0, %p1;", float.NaN, 0f, 0f, 1f)]
    [InlineData("abs.f32 %f1, %f2;", -2f, 0f, 0f, 2f)]
    [InlineData("ex2.approx.f32 %f1, %f2;", 3f, 0f, 0f, 8f)]
    [InlineData("ex2.approx.ftz.f32 %f1, %f2;", -130f, 0f, 0f, 0f)]
    [InlineData("lg2.approx.f32 %f1, %f2;", 8f, 0f, 0f, 3f)]
    [InlineData("rcp.rn.f32 %f1, %f2;", 4f, 0f, 0f, 0.25f)]
    [InlineData("rsqrt.approx.f32 %f1, %f2;", 4f, 0f, 0f, 0.5f)]
    [InlineData("sqrt.rn.f32 %f1, %f2;", 2f, 0f, 0f, 1.4142135f)]
    [InlineData("mul.f32 %f1, %f2, 0f40000000;", 4f, 0f, 0f, 8f)]
    [InlineData("mul.f32 %f1, %f2, 1.5;", 4f, 0f, 0f, 6f)]
    [InlineData("cvt.rni.f32.f32 %f1, %f2;", 2.5f, 0f, 0f, 2f)]
    [InlineData("cvt.rmi.f32.f32 %f1, %f2;", -2.5f, 0f, 0f, -3f)]
    [InlineData("cvt.rzi.s32.f32 %r1, %f2;\ncvt.rn.f32.s32 %f1, %r1;", -2.9f, 0f, 0f, -2f)]
    [InlineData("cvt.rzi.u32.f32 %r1, %f2;\ncvt.rn.f32.u32 %f1, %r1;", -2.9f, 0f, 0f, 0f)]
    [InlineData("cvt.rzi.s32.f32 %r1, %f2;\ncvt.rn.f32.s32 %f1, %r1;", float.NaN, 0f, 0f, 0f)]
    [InlineData("cvt.f64.f32 %d1, %f2;\ncvt.rn.f32.f64 %f1, %d1;", 0.1f, 0f, 0f, 0.1f)]
    [InlineData("cvt.rn.f16.f32 %h1, %f2;\ncvt.f32.f16 %f1, %h1;", 0.1f, 0f, 0f, 0.099975586f)]
    [InlineData("cvt.rn.bf16.f32 %h1, %f2;\nmov.b32 %f1, {0, %h1};", 1.01f, 0f, 0f, 1.0078125f)]
    [InlineData("cvt.rn.bf16x2.f32 %r1, %f2, %f3;\nand.b32 %r1, %r1, 0xFFFF0000;\nmov.b32 %f1, %r1;", 1.01f, 7f, 0f, 1.0078125f)]
    [InlineData("cvt.rna.tf32.f32 %r1, %f2;\nmov.b32 %f1, %r1;", 1.0006f, 0f, 0f, 1.0009766f)]
    [InlineData("cvt.sat.f32.f32 %f1, %f2;", 1.5f, 0f, 0f, 1f)]
    [InlineData("setp.neu.f32 %p1, %f2, %f3;\nselp.f32 %f1, 1.0, 2.0, %p1;", float.NaN, 0f, 0f, 1f)]
    [InlineData("setp.ne.f32 %p1, %f2, %f3;\nselp.f32 %f1, 1.0, 2.0, %p1;", float.NaN, 0f, 0f, 2f)]
    [InlineData("setp.ltu.f32 %p1, %f2, %f3;\nselp.f32 %f1, 1.0, 2.0, %p1;", float.NaN, 0f, 0f, 1f)]
    [InlineData("setp.geu.f32 %p1, %f2, %f3;\nselp.f32 %f1, 1.0, 2.0, %p1;", 1f, 2f, 0f, 2f)]
    [InlineData("setp.gt.f32 %p1, %f2, %f3;\nselp.f32 %f1, 1.0, 2.0, %p1;", 3f, 2f, 0f, 1f)]
    [InlineData("testp.finite.f32 %p1, %f2;\nselp.f32 %f1, 1.0, 2.0, %p1;", float.PositiveInfinity, 2f, 0f, 2f)]
    public void Floats(string instructions, float a, float b, float c, float expected)
    {
        using var run = new PtxRun();
        var y = run.Array(a, b, c, 0f);
        string body = $"""
            ld.global.f32 %f2, [%rd0];
            ld.global.f32 %f3, [%rd0+4];
            ld.global.f32 %f4, [%rd0+8];
            {instructions}
            st.global.f32 [%rd0+12], %f1;
            """;
        // A lane alone, and a whole warp, whose lanes are computed as vectors.
        foreach (int threads in (int[])[1, 32])
        {
            y[3] = default;
            run.Run(body, threads);
            Assert.Equal(expected, y[3]);
        }
        Assert.Equal(float.IsNegative(expected), float.IsNegative(y[3]));
    }

    [Fact]
    public void TanhIsAsRoughAsTheHardwares()
    {
        using var run = new PtxRun();
        var y = run.Array(0.3f, 0f);
        run.Run("ld.global.f32 %f2, [%rd0];\ntanh.approx.f32 %f1, %f2;\nst.global.f32 [%rd0+4], %f1;", 1);
        Assert.InRange(Math.Abs((y[1] / Math.Tanh(0.3f)) - 1), 1e-6, Math.Pow(2, -11));
    }

    [Theory]
    [InlineData("ld.global.s8 %r1, [%rd0+3];", 0x80FF0201u, 0xFFFFFF80u)]
    [InlineData("ld.global.u8 %r1, [%rd0+3];", 0x80FF0201u, 0x80u)]
    [InlineData("ld.global.u16 %r1, [%rd0+2];", 0x80FF0201u, 0x80FFu)]
    [InlineData("cvt.s32.s8 %r1, %r2;", 0x12345680u, 0xFFFFFF80u)]
    [InlineData("cvt.u16.u32 %h1, %r2;\ncvt.u32.u16 %r1, %h1;", 0x12345680u, 0x5680u)]
    [InlineData("cvt.s64.s32 %rd5, %r2;\nmov.b64 {_, %r1}, %rd5;", 0x80000000u, 0xFFFFFFFFu)]
    [InlineData("cvt.u64.u32 %rd5, %r2;\nmov.b64 {_, %r1}, %rd5;", 0x80000000u, 0u)]
    public void NarrowValues(string instructions, uint a, uint expected)
    {
        using var run = new PtxRun();
        var y = run.Array(a, 0u);
        run.Run($"ld.global.u32 %r2, [%rd0];\n{instructions}\nst.global.u32 [%rd0+4], %r1;", 1);
        Assert.Equal(expected, y[1]);
    }
}
