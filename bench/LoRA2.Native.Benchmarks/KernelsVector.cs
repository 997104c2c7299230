using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Optimisers;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Benchmarks;

/// <summary>The kernels other than matrix products, in float, on one thread unless asked otherwise. Time per call; divide by 1024 × Columns.</summary>
[MemoryDiagnoser]
public unsafe class VectorKernelBenchmarks
{
    private const int Rows = 1024;

    private float* x;
    private float* dy;
    private float* output;
    private float* m;
    private float* v;
    private float* gamma;
    private float* beta;
    private float* mean;
    private float* inverse;
    private ushort* half;

    [Params(768, 3072)]
    public int Columns { get; set; }

    [Params(1)]
    public int Threads { get; set; }

    private nint Count => (nint)Rows * Columns;

    [GlobalSetup]
    public void Setup()
    {
        ThreadTeam.Count = Threads;
        x = Normal(1);
        dy = Normal(2);
        output = Normal(3);
        m = Normal(4);
        v = Normal(5);
        Elementwise.Multiply(v, v, Count, v);
        gamma = Normal(6);
        beta = Normal(7);
        mean = Normal(8);
        inverse = Normal(9);
        half = (ushort*)Normal(10);
    }

    [Benchmark]
    public void Add() => Elementwise.Add(x, dy, Count, output);

    [Benchmark]
    public void GeluForward() => Activations.Forward(Activation.Gelu, x, Count, output);

    [Benchmark]
    public void GeluBackward() => Activations.Backward(Activation.Gelu, x, dy, Count, output, accumulate: false);

    [Benchmark]
    public void TanhForward() => Activations.Forward(Activation.Tanh, x, Count, output);

    [Benchmark]
    public void SoftmaxForward() => Softmax.Forward(x, Rows, Columns, output);

    [Benchmark]
    public void SoftmaxBackward() => Softmax.Backward(x, dy, 1f, Rows, Columns, output, accumulate: false);

    [Benchmark]
    public void LayerNormForward() => LayerNorm.Forward(x, null, gamma, beta, Rows, Columns, 1e-7, null, output, mean, inverse);

    [Benchmark]
    public void LayerNormInputGradient() => LayerNormGradient.Input(x, gamma, mean, inverse, dy, Rows, Columns, output, accumulate: false);

    [Benchmark]
    public void LayerNormParameterGradient() => LayerNormGradient.Parameters(x, mean, inverse, dy, Rows, Columns, gamma, beta, accumulate: false);

    [Benchmark]
    public void DropoutForward() => Dropout.Run(x, Count, 0.1, new Philox(1, 2u, 3u), output, accumulate: false);

    [Benchmark]
    public void ColumnSums() => ColumnSum.Run(x, Rows, Columns, Columns, beta, accumulate: false);

    [Benchmark]
    public void AdamWStep()
    {
        Span<double> row = stackalloc double[Tensors.Devices.AdamWStep.Columns];
        new Tensors.Devices.AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0.01, 0, 10).Write(row);
        var parameter = new AdamWPointers<float>
        {
            Count = Count,
            Weights = output,
            Gradient = dy,
            FirstMoment = m,
            SecondMoment = v,
            Constants = AdamWConstants<float>.From(row, 1),
        };
        AdamW.Step(&parameter, 1);
    }

    [Benchmark]
    public double SumOfSquares() => Reduction.SumOfSquares(x, Count);

    [Benchmark]
    public void ToBFloat16() => Conversion.FloatToBFloat16(x, Count, half);

    private float* Normal(ulong stream)
    {
        float* values = (float*)NativeMemory.AlignedAlloc((nuint)(Count * sizeof(float)), 64);
        new Philox(1, stream).FillNormal(new Span<float>(values, (int)Count), 0, 1);
        return values;
    }
}
