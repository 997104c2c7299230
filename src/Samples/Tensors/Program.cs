// The tensor engine by itself: a small network learns XOR, after its gradient was checked against central differences.
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Memory;

var random = new Random(1);
float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];

// These live until the program ends; what a step makes lives in the step's scope.
Tensor x = Tensor.From<float>([0, 0, 0, 1, 1, 0, 1, 1], [4, 2]), y = Tensor.From<float>([0, 1, 1, 0], [4]);
Tensor[] weights = [Tensor.From(Values(16), [8, 2]), Tensor.From(Values(8), [8]), Tensor.From(Values(8), [1, 8]), Tensor.From(Values(1), [1])];
foreach (Tensor weight in weights) weight.RequiresGrad = true;

Tensor Predict(IReadOnlyList<Tensor> w, Tensor input) => Ops.Reshape(Ops.Linear(Ops.Gelu(Ops.Linear(input, w[0], w[1])), w[2], w[3]), 4);

GradientCheckResult check = GradientCheck.Run(all => Ops.MeanSquaredError(Predict(all, all[4]), all[5]), [.. weights, x, y]);
Console.WriteLine($"gradient agrees with central differences: {check.Error < 1e-5}");

for (int step = 1; step <= 600; step++)
{
    using var scope = new TensorScope();
    using var tape = new Tape();
    Tensor loss = Ops.MeanSquaredError(Predict(weights, x), y);
    tape.Backward(loss);
    foreach (Tensor weight in weights)
    {
        Span<float> values = weight.AsSpan<float>(), gradient = weight.Grad!.AsSpan<float>();
        for (int i = 0; i < values.Length; i++) values[i] -= 0.3f * gradient[i];
        weight.ClearGrad();
    }

    if (step is 1 or 600) Console.WriteLine($"loss after step {step}: {(loss.AsSpan<float>()[0] < 0.01f ? "below 0.01" : "above 0.01")}");
}

using (new TensorScope()) Console.WriteLine($"0^0 0^1 1^0 1^1 = {string.Join(' ', Predict(weights, x).ToArray<float>().Select(value => Math.Round(Math.Abs(value))))}");
