using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Modules;
using LoRA2.Native.Tensors.Optimizers;
using LoRA2.Native.Tensors.Tests.Cpu;

namespace LoRA2.Native.Tensors.Tests.Modules;

/// <summary>Training steps of small nets: they allocate nothing managed, and their bits don't depend on the threads. Alone, because the number of threads is the process's.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class SmallNetTests
{
    private const int Classes = 3;

    // A part of a step of the recurrent layers has 16384 / (gates · size) rows: these are two of the LSTM's and three of the GRU's.
    private const int Batch = 70;

    [Theory]
    [InlineData("perceptron")]
    [InlineData("lstm")]
    [InlineData("convolution")]
    public void AStepAllocatesNothingManaged(string kind)
    {
        using Module net = Net(kind);
        using AdamW optimizer = Optimizer(net);
        var reuse = new TensorReuse();
        using Tensor x = Input(kind), labels = Labels();
        int before = Compute.Threads;
        try
        {
            Compute.Threads = 1;
            for (int i = 0; i < 3; i++) Step(net, optimizer, reuse, x, labels);
            long start = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 3; i++) Step(net, optimizer, reuse, x, labels);
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - start);
        }
        finally
        {
            Compute.Threads = before;
        }
    }

    [Theory]
    [InlineData("perceptron")]
    [InlineData("lstm")]
    [InlineData("convolution")]
    public void BitsDontDependOnTheThreads(string kind)
    {
        int before = Compute.Threads;
        try
        {
            Assert.Equal(Trained(1), Trained(3));
        }
        finally
        {
            Compute.Threads = before;
        }

        float[] Trained(int threads)
        {
            Compute.Threads = threads;
            using Module net = Net(kind);
            using AdamW optimizer = Optimizer(net);
            using Tensor x = Input(kind), labels = Labels();
            for (int i = 0; i < 3; i++) Step(net, optimizer, null, x, labels);
            return [.. net.Parameters.SelectMany(parameter => parameter.Value.ToArray<float>())];
        }
    }

    [Fact]
    public void TheBitsOfGatedUnitsDontDependOnTheThreads()
    {
        int before = Compute.Threads;
        try
        {
            Assert.Equal(Gradients(1), Gradients(3));
        }
        finally
        {
            Compute.Threads = before;
        }

        static float[] Gradients(int threads)
        {
            Compute.Threads = threads;
            using var scope = new TensorScope();
            using var tape = new Tape();
            var source = new CaseSource(5);
            Tensor[] inputs = [.. new[] { source.Values([5, Batch, 20]), source.Values([1, Batch, 170]), source.Values([510, 20]), source.Values([510, 170]) }.Select(input => input.To(DType.Float32))];
            foreach (Tensor input in inputs) input.RequiresGrad = true;
            tape.Backward(Ops.Sum(Ops.Gru(inputs[0], inputs[1], [new RecurrentWeights(inputs[2], inputs[3])]).Sequence));
            return [.. inputs.SelectMany(input => input.Grad!.ToArray<float>())];
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OtherGradientsAreTheSameWhereTheFirstStateWantsNone(bool gated)
    {
        Assert.Equal(Gradients(ofState: true), Gradients(ofState: false));

        double[] Gradients(bool ofState)
        {
            using var scope = new TensorScope();
            using var tape = new Tape();
            var source = new CaseSource(5);
            int rows = gated ? 9 : 12;
            Tensor x = source.Values([4, 2, 5]), input = source.Values([rows, 5]), hidden = source.Values([rows, 3]);
            Tensor h = source.Values([1, 2, 3], requiresGrad: ofState), c = source.Values([1, 2, 3]);
            RecurrentWeights[] weights = [new(input, hidden)];
            tape.Backward(Ops.Sum(gated ? Ops.Gru(x, h, weights).Sequence : Ops.Lstm(x, h, c, weights).Sequence));
            Assert.Equal(ofState, h.Grad is not null);
            return [.. new[] { x, input, hidden }.SelectMany(tensor => tensor.Grad!.ToArray<double>())];
        }
    }

    [Fact]
    public void TheFirstOfEqualOnesAndTheFirstNaNAreTheLargest()
    {
        using var scope = new TensorScope();
        float nan = float.NaN, least = float.NegativeInfinity;
        Tensor x = Tensor.From([1, 1, 2, nan, least, least, nan, 3, 1, 1, nan, 7, least, least, nan, 9], [2, 2, 4]);
        (Tensor values, Tensor indices) = Ops.MaxPool2d(x, new PoolWindows([2]));
        Assert.Equal([1, nan, 1, nan], values.ToArray<float>());
        Assert.Equal([0L, 3, 0, 2], indices.ToArray<long>());
        Assert.Equal([0L, 0], Ops.MaxPool2d(Tensor.Full([2, 2, 3], double.NegativeInfinity), new PoolWindows([2])).Indices.ToArray<long>());
        Assert.Equal([5L], Ops.MaxPool2d(Tensor.From([1, 2, 3, 4, 5, 6], [2, 3]), new PoolWindows([2, 3])).Indices.ToArray<long>());
    }

    private static Module Net(string kind)
    {
        var random = new ParameterRandom(seed: 1);
        var same = new ConvolutionSteps { SamePadding = true };
        var halves = new PoolWindows([2]);
        return kind switch
        {
            "perceptron" => new Sequential(new Linear(70, 90, random), new Activate(Activation.Relu), new Linear(90, Classes, random)),
            "lstm" => new Sequential(new Lstm(20, 70, random, batchFirst: true), new Lambda(x => Ops.Select(x, 1, 4)), new Linear(70, Classes, random)),
            _ => new Sequential(
                new Conv(1, 8, [3, 3], random, same), new Activate(Activation.Relu), new Lambda(x => Ops.MaxPool2d(x, halves).Values),
                new Conv(8, 70, [3, 3], random, same), new Activate(Activation.Relu), new Lambda(x => Ops.Flatten(x, 1)), new Linear(70 * 49, Classes, random)),
        };
    }

    private static Tensor Input(string kind)
    {
        Tensor x = new CaseSource(7).Values(kind switch { "perceptron" => [Batch, 70], "lstm" => [Batch, 5, 20], _ => [Batch, 1, 14, 14] }, requiresGrad: false);
        return x.To(DType.Float32);
    }

    private static Tensor Labels() => Tensor.From([.. Enumerable.Range(0, Batch).Select(i => i % Classes)], [Batch]);

    private static AdamW Optimizer(Module net) => new([new OptimizerGroup([.. net.Parameters])], 1e-2);

    private static void Step(Module net, AdamW optimizer, TensorReuse? reuse, Tensor x, Tensor labels)
    {
        using var scope = new TensorScope(reuse);
        using var tape = new Tape();
        tape.Backward(Ops.CrossEntropy(net.Forward(x), labels));
        optimizer.Step();
        optimizer.ClearGradients();
    }
}
