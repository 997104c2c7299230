// A character-level LSTM learns a sentence by heart and writes it.
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Modules;
using LoRA2.Native.Tensors.Optimizers;

const string Text = "the quick brown fox jumps over the lazy dog. ";
char[] alphabet = [.. Text.Distinct().Order()];
int[] ids = [.. Text.Select(letter => Array.IndexOf(alphabet, letter))];

var random = new ParameterRandom(seed: 1);
using var embedding = new Embedding(alphabet.Length, 16, random);
using var lstm = new Lstm(16, 48, random);
using var output = new Linear(48, alphabet.Length, random);
Parameter[] parameters = [.. embedding.Parameters, .. lstm.Parameters, .. output.Parameters];
using var optimizer = new Adam([new OptimizerGroup(parameters)], learningRate: 1e-2);

// [length, 1]: every letter, and the one that follows it.
Tensor letters = Tensor.From(ids, [ids.Length, 1]), next = Tensor.From([.. ids[1..], ids[0]], [ids.Length]);
double loss = 0;
for (int step = 0; step < 150; step++)
{
    using var scope = new TensorScope();
    using var tape = new Tape();
    Tensor logits = Ops.Reshape(output.Forward(lstm.Forward(embedding.Forward(letters))), ids.Length, alphabet.Length);
    Tensor error = Ops.CrossEntropy(logits, next);
    tape.Backward(error);
    GradientClipping.ClipNorm(parameters, 1);
    optimizer.Step();
    optimizer.ClearGradients();
    loss = error.Item();
}

Console.WriteLine($"the loss is below 0.1: {loss < 0.1}");
using (new TensorScope())
{
    string written = "the";
    (Tensor? state, Tensor? cell, int fed) = (null, null, 0);
    while (written.Length < Text.Length - 1)
    {
        // All letters at first, then the last one written, from the states that the others left.
        int[] given = [.. written[fed..].Select(letter => Array.IndexOf(alphabet, letter))];
        fed = written.Length;
        (Tensor sequence, state, cell) = lstm.Run(embedding.Forward(Tensor.From(given, [given.Length, 1])), state, cell);
        written += alphabet[(int)Ops.ArgMax(output.Forward(sequence[^1])).Item()];
    }

    Console.WriteLine(written);
}
