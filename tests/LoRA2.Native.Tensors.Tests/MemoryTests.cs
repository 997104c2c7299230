using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;
using LoRA2.Native.Tensors.Tests.Cpu;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Who owns native memory, and until when. The pool is shared, so these run alone.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class MemoryTests
{
    public MemoryTests()
    {
        // Blocks that other tests left would serve for smaller ones at first, and be missed later.
        Collect();
        MemoryPool.Shared.Trim();
    }

    [Fact]
    public void AfterAStepThePoolStandsWhereItStoodAndTheNextTakesNothingNew()
    {
        using var model = new TensorScope();
        Tensor[] parameters = Parameters();
        long inUse = MemoryPool.Shared.BytesInUse;
        Step(parameters);
        Assert.Equal(inUse, MemoryPool.Shared.BytesInUse);
        long reserved = MemoryPool.Shared.BytesReserved;
        for (int i = 0; i < 3; i++) Step(parameters);
        Assert.Equal(reserved, MemoryPool.Shared.BytesReserved);
        Assert.Equal(inUse, MemoryPool.Shared.BytesInUse);
    }

    [Fact]
    public void ATapeThatNeverRanBackwardsFreesWhatItSaved()
    {
        using var model = new TensorScope();
        Tensor[] parameters = Parameters();
        long inUse = MemoryPool.Shared.BytesInUse;
        var tape = new Tape();
        using (new TensorScope()) Forward(parameters);
        Assert.True(MemoryPool.Shared.BytesInUse > inUse);
        tape.Dispose();
        Assert.Equal(inUse, MemoryPool.Shared.BytesInUse);
    }

    [Fact]
    public void AFailureInAnOpOrItsGradientLeavesNothing()
    {
        using var model = new TensorScope();
        Tensor x = Tensor.Full([50, 50], 1);
        x.RequiresGrad = true;
        long inUse = MemoryPool.Shared.BytesInUse;
        for (int failing = 0; failing < 2; failing++)
        {
            Assert.ThrowsAny<Exception>(() =>
            {
                using var scope = new TensorScope();
                using var tape = new Tape();
                Tensor y = Ops.Gelu(Ops.MatMul(x, x));
                if (failing == 0) Ops.Linear(y, Tensor.Zeros([3, 3]));
                Tensor z = Tape.Record(new FailingNode(), y.Clone());
                tape.Backward(Ops.Sum(Ops.Add(z, y)));
            });
            Assert.Null(x.Grad);
            Assert.Equal(inUse, MemoryPool.Shared.BytesInUse);
        }
    }

    [Fact]
    public void ScopesNestAndKeepMovesOut()
    {
        long inUse = MemoryPool.Shared.BytesInUse;
        Tensor kept;
        using (var outer = new TensorScope())
        {
            Tensor inner;
            using (var scope = new TensorScope())
            {
                Tensor dropped = Tensor.Full([1000], 1);
                inner = scope.Keep(Ops.Scale(dropped, 2));
            }

            Assert.Equal(2, inner.ToArray<float>()[999]);
            kept = outer.Keep(Ops.Slice(inner, 0, 10, 5));
        }

        Assert.Equal([2f, 2, 2, 2, 2], kept.ToArray<float>());
        kept.Dispose();
        Assert.Equal(inUse, MemoryPool.Shared.BytesInUse);
    }

    [Fact]
    public void ATensorWhoseMemoryWasReturnedThrows()
    {
        Tensor x;
        using (new TensorScope()) x = Tensor.Full([3], 1);
        Assert.Throws<ObjectDisposedException>(() => Ops.Gelu(x));
        Assert.Throws<ObjectDisposedException>(() => x.ToArray<float>());
        Assert.Throws<ObjectDisposedException>(() => x.AsSpan<float>().Length);
        Tensor y = Tensor.Full([1], 1);
        y.Dispose();
        y.Dispose();
        Assert.Throws<ObjectDisposedException>(() => y.Item());
    }

    [Fact]
    public void TensorsWithoutAScopeAreReclaimedByTheCollector()
    {
        long inUse = MemoryPool.Shared.BytesInUse;
        Abandon();
        Collect();
        Assert.Equal(inUse, MemoryPool.Shared.BytesInUse);
    }

    /// <summary>Every thread keeps making garbage that the collector returns to the pool; no kernel may see its operands reused.</summary>
    [Fact]
    public void TheCollectorNeverTakesAnOperandFromARunningKernel()
    {
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
        {
            for (int i = 0; i < 200; i++)
            {
                float value = (worker * 1000) + i;
                float[] sums = Ops.Sum(Ops.Add(Tensor.Full([64, 300], value), Tensor.Full([300], 0)), 0).ToArray<float>();
                Assert.All(sums, sum => Assert.Equal(64 * value, sum));
                if (i % 20 == 0) GC.Collect();
            }
        });
        Collect();
    }

    /// <summary>A result of an emptied tape that goes into the next one's loss gets a gradient nobody asks for; it goes with the tensor.</summary>
    [Fact]
    public void AResultOfAnEarlierTapeLeavesNothing()
    {
        using var model = new TensorScope();
        Tensor x = Leaf(1000);
        long inUse = MemoryPool.Shared.BytesInUse;
        using (new TensorScope())
        {
            Tensor y;
            using (var first = new Tape()) y = Ops.Gelu(x);
            using var second = new Tape();
            second.Backward(Ops.Sum(Ops.Tanh(y)));
            Assert.Null(x.Grad);
        }

        Assert.Equal(inUse, MemoryPool.Shared.BytesInUse);
    }

    /// <summary>Threads that meet at a frozen weight for the first time pack it once between them.</summary>
    [Fact]
    public void ThreadsShareAFrozenWeight()
    {
        using var scope = new TensorScope();
        var source = new CaseSource(9);
        Tensor x = source.Values([5, 70], requiresGrad: false);
        for (int round = 0; round < 20; round++)
        {
            Tensor weight = source.Values([90, 70], requiresGrad: false);
            double[] expected = Ops.Linear(x, weight.Clone().Freeze()).ToArray<double>();
            weight.Freeze();
            Parallel.For(0, 4, _ =>
            {
                using var own = new TensorScope();
                for (int i = 0; i < 10; i++) Assert.Equal(expected, Ops.Linear(x, weight).ToArray<double>());
            });
        }
    }

    [Fact]
    public void GradientsOfLeavesShareMemoryWithNothing()
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor a = Leaf(4), b = Leaf(4), c = Leaf(8);
        Tensor seed = Tensor.Full([8], 1);
        tape.Backward(Ops.Add(Ops.Concat(0, Ops.Add(a, b), b), c), seed);
        Assert.Equal([1f, 1, 1, 1], a.Grad!.ToArray<float>());
        Assert.Equal([2f, 2, 2, 2], b.Grad!.ToArray<float>());
        foreach (Tensor changed in new[] { seed, a.Grad, b.Grad, c.Grad! })
        {
            float[][] before = [.. new[] { a, b, c }.Select(leaf => leaf.Grad!.ToArray<float>())];
            changed.AsSpan<float>().Fill(99);
            float[][] after = [.. new[] { a, b, c }.Select(leaf => leaf.Grad!.ToArray<float>())];
            Assert.True(before.Zip(after).Count(pair => !pair.First.SequenceEqual(pair.Second)) <= (changed == seed ? 0 : 1));
        }
    }

    private static Tensor Leaf(int count)
    {
        Tensor leaf = Tensor.Full([count], 1);
        leaf.RequiresGrad = true;
        return leaf;
    }

    private static Tensor[] Parameters()
    {
        var source = new CaseSource(5);
        Tensor[] parameters = [.. new Shape[] { [24, 24], [24], [24], [24], [24, 4], [4, 6], [6], [6, 4], [4, 24], [5, 24] }.Select(shape => source.Values(shape, 0.2))];
        parameters[0].RequiresGrad = false;
        parameters[0].Freeze();
        return parameters;
    }

    private static Tensor Forward(Tensor[] p)
    {
        var source = new CaseSource(6);
        Tensor x = Ops.Reshape(Ops.Embedding(p[9], source.Ids([2, 7], 0, 4)), 2, 7, 24);
        var factors = new LoRA2Factors(p[4], p[5], p[6], p[7], p[8]);
        Tensor q = Ops.LoRA2Linear(Ops.LayerNorm(x, p[2], p[3], 1e-5), p[0], p[1], factors, 2);
        Tensor attended = Ops.Attention(q, q, x, new AttentionTerms(3, 0.3, Dropout: new DropoutMask(0.1, 1, 2, 3)));
        Tensor hidden = Ops.Gelu(Ops.Add(attended, Ops.Contiguous(Ops.Permute(Ops.Permute(x, 1, 0, 2), 1, 0, 2))));
        Tensor logits = Ops.Concat(1, Ops.Slice(Ops.Mean(hidden, 1), 1, 0, 3), Ops.Slice(Ops.Sum(hidden, 1), 1, 5, 2));
        Tensor loss = Ops.CrossEntropy(logits, source.Ids([2], 0, 4));
        return Ops.Add(loss, Ops.Scale(Ops.LoRA2Orthogonality([factors], OrthogonalityKind.All), 0.1));
    }

    private static void Step(Tensor[] parameters)
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        tape.Backward(Forward(parameters));
        foreach (Tensor parameter in parameters)
        {
            Assert.Equal(parameter.RequiresGrad, parameter.Grad is not null);
            parameter.ClearGrad();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Abandon()
    {
        for (int i = 0; i < 100; i++) Ops.Gelu(Tensor.Full([100, i], 1));
        Tensor x = Tensor.Full([10], 1);
        x.RequiresGrad = true;
        using var tape = new Tape();
        tape.Backward(Ops.Sum(Ops.Gelu(x)));
    }

    private static void Collect()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private sealed class FailingNode : Node
    {
        protected internal override void Backward(Tensor gradient) => throw new InvalidOperationException("out of luck");
    }
}
