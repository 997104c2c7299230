using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>When leaves are told to be complete.</summary>
public sealed class GradientWatchTests
{
    [Fact]
    public void AfterAPassOfAnotherLengthItLearnsAnew()
    {
        using var scope = new TensorScope();
        Tensor[] leaves = [.. Enumerable.Range(0, 3).Select(_ => Tensor.Zeros([1]))];
        var told = new List<(int Leaf, int Steps)>();
        int steps = 0;
        var watch = new GradientWatch(leaves, leaf => told.Add((leaf, steps)));

        void Pass(int ops, params int[] order)
        {
            told.Clear();
            steps = 0;
            watch.Begin();
            GradientWatch? entered = GradientWatch.Enter(ops);
            while (steps < ops)
            {
                if (steps < order.Length) GradientWatch.Touch(leaves[order[steps]]);
                steps++;
                entered!.Stepped();
            }

            steps = int.MaxValue;
            watch.End();
        }

        Pass(3, 2, 0, 1);
        Pass(4, 1, 2, 0);
        Assert.All(told, one => Assert.Equal(int.MaxValue, one.Steps));
        Pass(4, 1, 2, 0);
        Assert.Equal([(1, 1), (2, 2), (0, 3)], told);
    }
}
