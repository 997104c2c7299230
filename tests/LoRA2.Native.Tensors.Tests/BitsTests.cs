using System.Runtime.InteropServices;
using FsCheck.Xunit;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Tests.Cpu;
using LoRA2.Native.Tests.Shared.Tensors;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Results and gradients of every op: the same bits on any number of threads, and the same values on every SIMD path.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class BitsTests
{
    private const int MostElements = 100_000;

    [Property(MaxTest = 4)]
    public void BitsDoNotDependOnTheNumberOfThreads(DrawnOps ops) => ops.Each(op =>
    {
        int before = ThreadTeam.Count;
        try
        {
            using var scope = new TensorScope();
            SimdPaths.Forced = Paths()[op.Seed % Paths().Length];
            DType precision = op.Seed / 8 % 2 == 0 ? DType.Float32 : DType.Float64;
            OpCase drawn = Large(op);
            ThreadTeam.Count = 1;
            List<byte[]> expected = Bits(drawn, precision);
            foreach (int threads in new[] { 2, 3, 5 })
            {
                ThreadTeam.Count = threads;
                List<byte[]> actual = Bits(drawn, precision);
                Assert.Equal(expected.Count, actual.Count);
                for (int i = 0; i < expected.Count; i++)
                    Assert.True(expected[i].AsSpan().SequenceEqual(actual[i]), $"{threads} threads, {SimdPaths.Current}, {precision}, {drawn.Description}, result {i}");
            }
        }
        finally
        {
            ThreadTeam.Count = before;
            SimdPaths.Forced = null;
        }
    });

    [Property(MaxTest = 25)]
    public void EverySimdPathGivesTheSameValues(DrawnOps ops) => ops.Each(op =>
    {
        try
        {
            using var scope = new TensorScope();
            OpCase drawn = op.Draw();
            foreach (DType precision in new[] { DType.Float64, DType.Float32 })
            {
                SimdPaths.Forced = SimdPath.Portable;
                List<double[]> expected = Values(drawn, precision);
                foreach (SimdPath path in Paths())
                {
                    SimdPaths.Forced = path;
                    Close(expected, Values(drawn, precision), precision == DType.Float64 ? 1e-12 : 2e-5, $"{path}, {precision}, {drawn.Description}");
                }
            }
        }
        finally
        {
            SimdPaths.Forced = null;
        }
    });

    [Fact]
    public void TheEnvironmentVariableLimitsThePath()
    {
        Assert.Equal(SimdPath.Portable, SimdPaths.Choose("portable"));
        Assert.True(SimdPaths.Choose("256") <= SimdPath.Vector256);
        Assert.Equal(Paths().Max(), SimdPaths.Choose(null));
    }

    private static SimdPath[] Paths() => [.. Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported)];

    /// <summary>The largest version of a case that stays within <see cref="MostElements"/>, so that there is work for several threads.</summary>
    private static OpCase Large(DrawnOp op)
    {
        OpCase? drawn = null;
        for (int factor = 1; factor <= 64; factor *= 2)
        {
            OpCase larger = op.Op.DrawWithViews(new CaseSource(op.Seed) { MostExtent = op.MostExtent, Enlargement = factor });
            if (drawn is not null && larger.Inputs.Sum(input => (long)input.Count) > MostElements) break;
            drawn = larger;
        }

        return drawn!;
    }

    private static List<double[]> Values(OpCase drawn, DType precision) =>
        Results(drawn, precision, tensor => tensor.To(DType.Float64).ToArray<double>());

    private static List<byte[]> Bits(OpCase drawn, DType precision) => Results(drawn, precision, tensor =>
        precision == DType.Float32 ? MemoryMarshal.AsBytes(tensor.ToArray<float>().AsSpan()).ToArray() : MemoryMarshal.AsBytes(tensor.ToArray<double>().AsSpan()).ToArray());

    /// <summary>The result and the gradients, read out with <paramref name="read"/>.</summary>
    private static List<TRead> Results<TRead>(OpCase drawn, DType precision, Func<Tensor, TRead> read)
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor[] inputs = [.. drawn.Inputs.Select(input => input.DType == DType.Float64 ? input.To(precision).Clone() : input)];
        for (int i = 0; i < inputs.Length; i++)
        {
            if (drawn.Inputs[i].RequiresGrad) inputs[i].RequiresGrad = true;
        }

        Tensor y = drawn.Apply(inputs);
        List<TRead> results = [read(y)];
        if (y.RequiresGrad) tape.Backward(y, Ops.Scale(y, 0.5));
        foreach (Tensor input in inputs)
        {
            if (input.Grad is { } gradient) results.Add(read(gradient));
        }

        return results;
    }

    private static void Close(List<double[]> expected, List<double[]> actual, double tolerance, string where)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            double scale = expected[i].Select(Math.Abs).Where(double.IsFinite).DefaultIfEmpty().Max() + 1;
            for (int e = 0; e < expected[i].Length; e++)
            {
                bool same = expected[i][e].Equals(actual[i][e]) || Math.Abs(expected[i][e] - actual[i][e]) <= tolerance * scale;
                Assert.True(same, $"{where}: result {i}, element {e}: {actual[i][e]:R}, portable {expected[i][e]:R}");
            }
        }
    }
}
