using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;

namespace LoRA2.Native.Benchmarks;

/// <summary>The products of attention: 8 texts × 12 heads of 128 tokens × 64.</summary>
[MemoryDiagnoser]
public unsafe class GemmBatchedBenchmarks
{
    private const int Batch = 96, Tokens = 128, Head = 64;
    private float* queries;
    private float* keys;
    private float* scores;

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        ThreadTeam.Count = Threads;
        queries = (float*)NativeMemory.AllocZeroed(Batch * Tokens * Head * sizeof(float));
        keys = (float*)NativeMemory.AllocZeroed(Batch * Tokens * Head * sizeof(float));
        scores = (float*)NativeMemory.AllocZeroed(Batch * Tokens * Tokens * sizeof(float));
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (nint buffer in new[] { (nint)queries, (nint)keys, (nint)scores }) NativeMemory.Free((void*)buffer);
    }

    [Benchmark]
    public void QueriesByKeys() =>
        Gemm.Batched(
            Batch, false, true, Tokens, Tokens, Head, 0.125f,
            queries, Head, Tokens * Head, keys, Head, Tokens * Head, 0f, scores, Tokens, Tokens * Tokens);

    [Benchmark]
    public void ScoresByValues() =>
        Gemm.Batched(
            Batch, false, false, Tokens, Head, Tokens, 1f,
            scores, Tokens, Tokens * Tokens, keys, Head, Tokens * Head, 0f, queries, Head, Tokens * Head);
}
