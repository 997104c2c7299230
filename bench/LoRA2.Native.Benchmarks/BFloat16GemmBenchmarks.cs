using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// Products of bfloat16 terms of float32 matrices, at the shapes of <see cref="GemmBenchmarks"/> that the tile unit is for. A call may not
/// allocate. Gflop/s is 2 · M · N · K / time, whatever the number of terms. bench/products.sh times them beside libtorch's.
/// </summary>
[MemoryDiagnoser]
public unsafe class BFloat16GemmBenchmarks
{
    private float* a;
    private float* b;
    private float* c;
    private float* bias;
    private float* left;
    private BFloat16PackedMatrix? packed;

    [ParamsSource(nameof(Shapes))]
    public GemmBenchmarks.GemmShape Shape { get; set; } = null!;

    [Params(Precision.BFloat16, Precision.BFloat16x3, Precision.BFloat16x6)]
    public Precision Precision { get; set; }

    [Params(1, 2)]
    public int Threads { get; set; }

    public static IEnumerable<GemmBenchmarks.GemmShape> Shapes =>
    [
        new("square", false, false, 1024, 1024, 1024),
        new("attention projection", false, true, 1024, 768, 768),
        new("feed-forward up", false, true, 1024, 3072, 768),
        new("feed-forward down", false, true, 1024, 768, 3072),
        new("weight gradient", true, false, 768, 768, 1024),
        new("one token", false, true, 1, 3072, 768),
    ];

    [GlobalSetup]
    public void Setup()
    {
        ThreadTeam.Count = Threads;
        a = Random(Shape.M * Shape.K);
        b = Random(Shape.K * Shape.N);
        c = Random(Shape.M * Shape.N);
        bias = Random(Shape.N);
        left = Random(8 * Math.Max(Shape.M, Shape.N));
        packed = new BFloat16PackedMatrix(b, Shape.Ldb, Shape.K, Shape.N, Shape.TransB, Precision);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        packed!.Dispose();
        foreach (nint buffer in new[] { (nint)a, (nint)b, (nint)c, (nint)bias, (nint)left }) NativeMemory.AlignedFree((void*)buffer);
    }

    [Benchmark]
    public void Packed() => BFloat16Gemm.Multiply(Shape.TransA, Shape.M, 1, a, Shape.Lda, packed!, 0, c, Shape.N, default);

    [Benchmark]
    public void PackedWithBiasAndAdapter() => BFloat16Gemm.Multiply(
        Shape.TransA, Shape.M, 1, a, Shape.Lda, packed!, 0, c, Shape.N,
        new Epilogue<float> { Bias = bias, Rank = 8, Left = left, LeftStride = 8, Right = left, RightStride = Shape.N, LowRankScale = 2 });

    [Benchmark]
    public void AsItLies() => BFloat16Gemm.Multiply(
        Precision, Shape.TransA, Shape.TransB, Shape.M, Shape.N, Shape.K, 1, a, Shape.Lda, b, Shape.Ldb, 0, c, Shape.N, default);

    private static float* Random(int count)
    {
        var data = (float*)NativeMemory.AlignedAlloc((nuint)count * sizeof(float), 64);
        var random = new Random(1);
        for (int i = 0; i < count; i++) data[i] = random.NextSingle() - 0.5f;
        return data;
    }
}
