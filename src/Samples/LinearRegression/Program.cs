// Linear regression: the line behind noisy points, by gradient descent.
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Modules;
using LoRA2.Native.Tensors.Optimizers;

var random = new ParameterRandom(seed: 1);
Tensor x = Initializers.Uniform(Tensor.Empty([200, 1]), random.Next(), -1, 1);
Tensor noise = Initializers.Normal(Tensor.Empty([200, 1]), random.Next(), 0, 0.1);
Tensor y = (3 * x) - 0.5 + noise;

using var model = new Linear(1, 1, random);
using var optimizer = new Sgd([new OptimizerGroup([.. model.Parameters])], learningRate: 0.1, momentum: 0.9);
Func<int, double> schedule = Schedule.CosineAnnealing(0.1, steps: 200);
for (int step = 0; step < 200; step++)
{
    using var scope = new TensorScope();
    using var tape = new Tape();
    tape.Backward(Ops.MeanSquaredError(model.Forward(x), y));
    optimizer.LearningRate = schedule(step);
    optimizer.Step();
    optimizer.ClearGradients();
}

foreach ((string name, Parameter parameter) in model.NamedParameters) Console.WriteLine($"{name}: {Math.Round(parameter.Value.Item(), 1).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture)}");
