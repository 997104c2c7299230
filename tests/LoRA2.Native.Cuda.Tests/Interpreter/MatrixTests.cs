using LoRA2.Native.Cuda.Tests.Emulation;

namespace LoRA2.Native.Cuda.Tests.Interpreter;

/// <summary><c>ldmatrix</c> and <c>mma</c>, with fragments laid out by the formulas of the PTX manual.</summary>
public sealed unsafe class MatrixTests
{
    // p1 holds 32 rows of 8 elements of 16 bits: they are copied to shared memory, and lane i names row i.
    private const string Rows = """
        mul.wide.u32 %rd11, %r0, 16;
        add.u64 %rd12, %rd1, %rd11;
        mov.u64 %rd10, dynamic;
        add.u64 %rd13, %rd10, %rd11;
        ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd12];
        st.shared.v4.u32 [%rd13], {%r1, %r2, %r3, %r4};
        bar.warp.sync -1;
        """;

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(4, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(4, true)]
    public void LdmatrixGivesEveryLaneItsElements(int count, bool transposed)
    {
        using var run = new PtxRun();
        var y = (ushort*)run.Array(new uint[32 * count]);
        var x = run.Array(Enumerable.Range(0, 256).Select(i => (ushort)(100 + i)).ToArray());
        var registers = "{" + string.Join(", ", Enumerable.Range(10, count).Select(i => $"%r{i}")) + "}";
        var stores = string.Join("\n", Enumerable.Range(0, count).Select(m => $"st.global.u32 [%rd20+{128 * m}], %r{10 + m};"));
        run.Run($"""
            {Rows}
            cvt.u32.u64 %r5, %rd13;
            ldmatrix.sync.aligned.m8n8.x{count}{(transposed ? ".trans" : "")}.shared.b16 {registers}, [%r5];
            mul.wide.u32 %rd20, %r0, 4;
            add.u64 %rd20, %rd20, %rd0;
            {stores}
            """, 32, shared: 512);
        for (var m = 0; m < count; m++)
        {
            for (var lane = 0; lane < 32; lane++)
            {
                for (var e = 0; e < 2; e++)
                {
                    int row = lane / 4, column = (2 * (lane % 4)) + e;
                    Assert.Equal(x[(64 * m) + (transposed ? (8 * column) + row : (8 * row) + column)], y[(64 * m) + (2 * lane) + e]);
                }
            }
        }
    }

    [Fact]
    public void MmaOfBFloat16IsTheProduct()
    {
        var random = new Random(1);
        var a = Values(random, 16 * 16);
        var b = Values(random, 16 * 8);
        var c = Values(random, 16 * 8);
        using var run = new PtxRun();
        var fragmentA = new uint[128];
        var fragmentB = new uint[64];
        var fragmentC = new float[128];
        for (var lane = 0; lane < 32; lane++)
        {
            int g = lane >> 2, t = lane & 3;
            // By the manual: row = g for a0, a1, a4, a5, else g + 8; column = 2t + (i & 1), + 8 for i >= 4 (elements, two a register).
            for (var i = 0; i < 8; i += 2)
            {
                var row = i is 0 or 4 ? g : g + 8;
                var column = (2 * t) + (i >= 4 ? 8 : 0);
                fragmentA[(4 * lane) + (i / 2)] = Pack(a[(16 * row) + column], a[(16 * row) + column + 1]);
            }
            for (var i = 0; i < 4; i += 2)
            {
                var row = (2 * t) + (i >= 2 ? 8 : 0);
                fragmentB[(2 * lane) + (i / 2)] = Pack(b[(8 * row) + g], b[(8 * (row + 1)) + g]);
            }
            for (var i = 0; i < 4; i++)
                fragmentC[(4 * lane) + i] = c[(8 * (i < 2 ? g : g + 8)) + (2 * t) + (i & 1)];
        }
        var y = run.Array(new float[128]);
        run.Array(fragmentA);
        run.Array(fragmentB);
        run.Array(fragmentC);
        run.Run(Product("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"), 32);
        CheckProduct(a, b, c, 16, y);
        Assert.Equal(1, run.Machine.Counts["mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"]);
    }

    [Fact]
    public void MmaOfTensorFloat32ReadsNineteenBits()
    {
        var random = new Random(2);
        var a = Values(random, 16 * 8);
        var b = Values(random, 8 * 8);
        var c = Values(random, 16 * 8);
        using var run = new PtxRun();
        var fragmentA = new uint[128];
        var fragmentB = new uint[64];
        var fragmentC = new float[128];
        for (var lane = 0; lane < 32; lane++)
        {
            int g = lane >> 2, t = lane & 3;
            // By the manual: a0 (g, t), a1 (g + 8, t), a2 (g, t + 4), a3 (g + 8, t + 4); the bits below are noise.
            for (var i = 0; i < 4; i++)
                fragmentA[(4 * lane) + i] = BitConverter.SingleToUInt32Bits(a[(8 * (i is 0 or 2 ? g : g + 8)) + t + (i >= 2 ? 4 : 0)]) | 0x1ABC;
            for (var i = 0; i < 2; i++)
                fragmentB[(2 * lane) + i] = BitConverter.SingleToUInt32Bits(b[(8 * (t + (4 * i))) + g]) | 0x0DEF;
            for (var i = 0; i < 4; i++)
                fragmentC[(4 * lane) + i] = c[(8 * (i < 2 ? g : g + 8)) + (2 * t) + (i & 1)];
        }
        var y = run.Array(new float[128]);
        run.Array(fragmentA);
        run.Array(fragmentB);
        run.Array(fragmentC);
        run.Run(Product("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"), 32);
        CheckProduct(a, b, c, 8, y);
    }

    [Fact]
    public void MmaWithoutAllLanesIsAnError()
    {
        using var run = new PtxRun();
        run.Array(0u);
        var mma = "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%f0, %f1, %f2, %f3}, {%r1, %r2}, {%r3}, {%f0, %f1, %f2, %f3};";
        Assert.Throws<PtxException>(() => run.Run($"setp.lt.u32 %p1, %r0, 16;\n@%p1 bra SKIP;\n{mma}\nSKIP:", 32));
        Assert.Throws<PtxException>(() => run.Run(mma, 31));
    }

    private static string Product(string mma) => $$"""
        mul.wide.u32 %rd11, %r0, 16;
        mul.wide.u32 %rd12, %r0, 8;
        add.u64 %rd13, %rd1, %rd11;
        add.u64 %rd14, %rd2, %rd12;
        add.u64 %rd15, %rd3, %rd11;
        add.u64 %rd16, %rd0, %rd11;
        ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%rd13];
        ld.global.v2.b32 {%r5, %r6}, [%rd14];
        ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd15];
        {{mma}} {%f1, %f2, %f3, %f4}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};
        st.global.v4.f32 [%rd16], {%f1, %f2, %f3, %f4};
        """;

    private static void CheckProduct(float[] a, float[] b, float[] c, int k, float* y)
    {
        for (var lane = 0; lane < 32; lane++)
        {
            for (var i = 0; i < 4; i++)
            {
                int row = (lane >> 2) + (i < 2 ? 0 : 8), column = (2 * (lane & 3)) + (i & 1);
                double sum = c[(8 * row) + column];
                for (var n = 0; n < k; n++)
                    sum += (double)a[(k * row) + n] * b[(8 * n) + column];
                Assert.Equal((float)sum, y[(4 * lane) + i], 1e-6f);
            }
        }
    }

    // Numbers of 8 bits of mantissa: exact in bfloat16 and in tf32.
    private static float[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(-127, 128) / 64f)];

    private static uint Pack(float low, float high) => BitConverter.SingleToUInt32Bits(low) >> 16 | (BitConverter.SingleToUInt32Bits(high) & 0xFFFF0000);
}
