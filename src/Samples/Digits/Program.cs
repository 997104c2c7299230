// Handwritten digits of 8 × 8 pixels: a multilayer perceptron and a convolutional net, each above 0.97.
using System.IO.Compression;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Loading;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Modules;
using LoRA2.Native.Tensors.Optimizers;

using var packed = new GZipStream(typeof(Program).Assembly.GetManifestResourceStream("digits.csv.gz")!, CompressionMode.Decompress);
float[][] rows = [.. new StreamReader(packed).ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Array.ConvertAll(line.Split(','), float.Parse))];
var random = new ParameterRandom(seed: 1);
int[] order = random.Next().Permutation(rows.Length);
const int Trained = 1437;

Tensor Images(int[] which) => Tensor.From([.. which.SelectMany(row => rows[row][..64].Select(grey => grey / 16))], [which.Length, 1, 8, 8]);
Tensor Labels(int[] which) => Tensor.From([.. which.Select(row => (int)rows[row][64])], [which.Length]);

double Learn(Module model, int epochs, double rate)
{
    using var optimizer = new AdamW([new OptimizerGroup([.. model.Parameters])], rate);
    var loader = new DataLoader<int, (Tensor Images, Tensor Labels)>(order[..Trained], batch => (Images([.. batch]), Labels([.. batch])), new() { BatchSize = 64, Shuffle = true, Seed = 2, Workers = 1 });
    Func<int, double> schedule = Schedule.OneCycle(rate, epochs * loader.Count);
    int step = 0;
    for (int epoch = 0; epoch < epochs; epoch++)
    {
        foreach ((Tensor images, Tensor labels) in loader)
        {
            using var scope = new TensorScope();
            using var tape = new Tape();
            tape.Backward(Ops.CrossEntropy(model.Forward(images), labels));
            optimizer.LearningRate = schedule(step++);
            optimizer.Step();
            optimizer.ClearGradients();
        }
    }

    model.Evaluate();
    using var test = new TensorScope();
    Tensor predicted = Ops.ArgMax(model.Forward(Images(order[Trained..])), 1);
    return Ops.Mean(Ops.Cast(Ops.Equal(predicted, Labels(order[Trained..])), DType.Float32)).Item();
}

using var perceptron = new Sequential(
    new Lambda(x => Ops.Flatten(x, 1)), new Linear(64, 128, random), new Activate(Activation.Relu), new Dropout(0.2, seed: 3), new Linear(128, 10, random));
using var convolutions = new Sequential(
    new Conv(1, 16, [3, 3], random, new ConvolutionSteps { SamePadding = true }), new BatchNorm(16), new Activate(Activation.Relu), new Lambda(x => Ops.MaxPool2d(x, new PoolWindows([2])).Values),
    new Conv(16, 32, [3, 3], random, new ConvolutionSteps { SamePadding = true }), new BatchNorm(32), new Activate(Activation.Relu), new Lambda(x => Ops.Mean(x, [2, 3])), new Linear(32, 10, random));

(string Name, double Accuracy)[] results = [("perceptron", Learn(perceptron, 30, 5e-3)), ("convolutional net", Learn(convolutions, 12, 2e-2))];
foreach ((string name, double accuracy) in results) Console.WriteLine($"{name}: {(accuracy > 0.97 ? "above 0.97" : $"{accuracy:0.000}")}");
