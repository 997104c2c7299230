using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Tests.Cpu;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>When an object is handed out again, and when it must not be. Alone, because the check is the process's.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class ReuseTests
{
    private readonly TensorReuse reuse = new();

    [Fact]
    public void TheNextOutermostScopeHandsTheSameObjectsOutAgain()
    {
        Tensor[] first = Step(), second = Step();
        Assert.Equal(first, second);
        Tensor plain;
        using (new TensorScope()) plain = Tensor.Zeros([2]);
        Assert.DoesNotContain(plain, first);
    }

    [Fact]
    public void NothingIsHandedOutAgainBeforeTheOutermostScopeEnded()
    {
        using var step = new TensorScope(reuse);
        Tensor x;
        using (new TensorScope(reuse)) x = Tensor.Full([3], 1);
        using (new TensorScope(reuse)) Assert.NotSame(x, Tensor.Full([3], 2));
        Assert.Throws<ObjectDisposedException>(() => x.AsSpan<float>().Length);
    }

    [Fact]
    public void UnderTheCheckATensorOfAnEndedScopeThrows()
    {
        TensorReuse.Checks = true;
        try
        {
            Tensor[] stale = Step(), next = Step();
            Assert.Empty(stale.Intersect(next));
            Assert.All(stale, tensor => Assert.Throws<ObjectDisposedException>(() => tensor.AsSpan<float>().Length));
        }
        finally
        {
            TensorReuse.Checks = false;
        }
    }

    [Fact]
    public void WhatWasMovedOutIsNobodyElses()
    {
        Tensor kept, detached, gradient, leaf = Leaf();
        using (var step = new TensorScope(reuse))
        {
            using (var tape = new Tape()) tape.Backward(Ops.Sum(leaf));
            gradient = leaf.Grad!;
            kept = step.Keep(Tensor.Full([3], 1));
            detached = step.Detach(Tensor.Full([3], 2));
        }

        for (int i = 0; i < 3; i++) Assert.Empty(Step().Intersect([kept, detached, gradient]));
        Assert.Equal([1f, 1, 1], kept.ToArray<float>());
        Assert.Equal([2f, 2, 2], detached.ToArray<float>());
        Assert.Equal([1f, 1, 1], gradient.ToArray<float>());
        kept.Dispose();
        detached.Dispose();
        Assert.Empty(Step().Intersect([kept, detached]));
        Assert.Throws<ObjectDisposedException>(() => kept.AsSpan<float>().Length);
    }

    /// <summary>The tape's ops need their tensors and nodes until it is done with them.</summary>
    [Fact]
    public void ATapeThatOutlivesTheScopeKeepsWhatItRecorded()
    {
        Step();
        Tensor leaf = Leaf(), loss;
        using (var outer = new TensorScope())
        using (var tape = new Tape())
        {
            using (var step = new TensorScope(reuse)) loss = step.Keep(Ops.Sum(Ops.Multiply(leaf, Ops.Scale(leaf, 2))));
            Step();
            tape.Backward(loss);
        }

        Assert.Equal([4f, 4, 4], leaf.Grad!.ToArray<float>());
    }

    /// <summary>A result that was moved out still knows that its tape was emptied, although later steps record the same ops.</summary>
    [Fact]
    public void ALossOfAnEarlierStepCannotBeRunBackwards()
    {
        Tensor leaf = Leaf(), loss;
        using (var step = new TensorScope(reuse))
        {
            using var tape = new Tape();
            loss = step.Keep(Ops.Sum(leaf));
        }

        using var next = new TensorScope(reuse);
        using var second = new Tape();
        Ops.Sum(leaf);
        Assert.Throws<InvalidOperationException>(() => second.Backward(loss));
    }

    /// <summary>A block's object serves one tensor after the other; a tensor that had it before sees nothing of that.</summary>
    [Fact]
    public void ATensorWhoseBlockHasANewOwnerThrows()
    {
        Tensor stale = Tensor.Full([1000], 1);
        stale.Dispose();
        using var owner = new TensorScope();
        Tensor next = Tensor.Full([1000], 2);
        Assert.Same(stale.Storage, next.Storage);
        Assert.Throws<ObjectDisposedException>(() => stale.AsSpan<float>().Length);
        Assert.Throws<ObjectDisposedException>(() => Ops.Reshape(stale, 10, 100));
        using (var tape = new Tape()) Assert.Throws<ObjectDisposedException>(() => Ops.Gelu(stale));
        Assert.True(next.Storage.IsExclusive);
        Assert.Equal(2, next.ToArray<float>()[999]);
    }

    [Fact]
    public void AScopeOrTapeThatEndedDoesNothingMore()
    {
        var scope = new TensorScope();
        scope.Dispose();
        var tape = new Tape();
        tape.Dispose();
        using var next = new TensorScope();
        using var recording = new Tape();
        Tensor x = Ops.Sum(Leaf());
        scope.Dispose();
        tape.Dispose();
        Assert.Same(x, scope.Keep(x));
        Assert.Equal((0, 1), (tape.Length, recording.Length));
        Assert.Throws<ObjectDisposedException>(() => tape.Backward(x));
        Assert.Equal(3, x.Item());
    }

    [Fact]
    public void TapesMayEndInAnyOrder()
    {
        using var scope = new TensorScope();
        Tensor x = Leaf();
        var outer = new Tape();
        var middle = new Tape();
        var inner = new Tape();
        middle.Dispose();
        inner.Dispose();
        Ops.Sum(x);
        Assert.Equal((1, 0, 0), (outer.Length, middle.Length, inner.Length));
        outer.Dispose();
        Assert.False(Tape.Records(x));
    }

    [Fact]
    public void ThreadsAtTheSameTimeGetDifferentObjects()
    {
        using var step = new TensorScope(reuse);
        Tensor here = Tensor.Full([3], 1);
        Tensor[]? there = null;
        var thread = new Thread(() => there = Step());
        thread.Start();
        thread.Join();
        Assert.DoesNotContain(here, there!);
        Assert.Equal([1f, 1, 1], here.ToArray<float>());
    }

    private static Tensor Leaf()
    {
        Tensor leaf = Tensor.Full([3], 1);
        leaf.RequiresGrad = true;
        return leaf;
    }

    private Tensor[] Step()
    {
        using var step = new TensorScope(reuse);
        using var tape = new Tape();
        Tensor x = Leaf();
        Tensor squares = Ops.Multiply(x, x);
        Tensor loss = Ops.Sum(squares);
        tape.Backward(loss);
        Assert.Equal([2f, 2, 2], x.Grad!.ToArray<float>());
        return [x, squares, loss];
    }
}
