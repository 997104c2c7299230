using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Modules;
using LoRA2.Native.Tensors.Optimizers;

namespace LoRA2.Native.Benchmarks.TensorOps;

/// <summary>Training steps of small nets: forward, backward and AdamW.</summary>
internal static class SmallNets
{
    private const int Classes = 10;

    /// <summary>64 rows of 784 through 256 and 256 to 10 classes.</summary>
    public static Action Perceptron()
    {
        var random = new ParameterRandom(seed: 1);
        var net = new Sequential(new Linear(784, 256, random), new Activate(Activation.Relu), new Linear(256, 256, random), new Activate(Activation.Relu), new Linear(256, Classes, random));
        return Step(net, net.Forward, Given(64, 784), 64);
    }

    /// <summary>16 sequences of 32 steps of 64, 128 hidden, the last step's to 10 classes.</summary>
    public static Action Lstm()
    {
        var random = new ParameterRandom(seed: 1);
        var net = new Sequential(new Lstm(64, 128, random, batchFirst: true), new Lambda(x => Ops.Select(x, 1, 31)), new Linear(128, Classes, random));
        return Step(net, net.Forward, Given(16, 32, 64), 16);
    }

    /// <summary>16 images of 1 × 28 × 28 through 3 × 3 convolutions of 16 and 32, pooled by two, to 10 classes.</summary>
    public static Action Convolution()
    {
        var random = new ParameterRandom(seed: 1);
        var halves = new PoolWindows([2]);
        var same = new ConvolutionSteps { SamePadding = true };
        var net = new Sequential(
            new Conv(1, 16, [3, 3], random, same), new Activate(Activation.Relu), new Lambda(x => Ops.MaxPool2d(x, halves).Values),
            new Conv(16, 32, [3, 3], random, same), new Activate(Activation.Relu), new Lambda(x => Ops.Flatten(x, 1)), new Linear(32 * 14 * 14, Classes, random));
        return Step(net, net.Forward, Given(16, 1, 28, 28), 16);
    }

    private static Tensor Given(params int[] shape) => Tensor.From([.. Enumerable.Range(0, shape.Aggregate((a, b) => a * b)).Select(i => ((i * 7919L) % 1000 / 500f) - 1)], [.. shape]);

    private static Action Step(Module net, Func<Tensor, Tensor> forward, Tensor inputs, int rows)
    {
        Tensor labels = Tensor.From([.. Enumerable.Range(0, rows).Select(i => i % Classes)], [rows]);
        var optimizer = new AdamW([new OptimizerGroup([.. net.Parameters])], 1e-3);
        var reuse = new TensorReuse();
        return () =>
        {
            using var scope = new TensorScope(reuse);
            using var tape = new Tape();
            tape.Backward(Ops.CrossEntropy(forward(inputs), labels));
            optimizer.Step();
            optimizer.ClearGradients();
        };
    }
}
