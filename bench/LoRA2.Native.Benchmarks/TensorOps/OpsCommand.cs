using System.Globalization;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Benchmarks.TensorOps;

/// <summary>
/// <c>ops [--threads N]</c>: the tensor library's ops and small training steps. Answers every line "name elements seconds" with the median of the seconds of one call and the managed bytes
/// of one; bench/peers/torchsharp has the same names, and bench/ops.py asks both in turn.
/// </summary>
internal static class OpsCommand
{
    private const int LeastCalls = 7;

    public static void Run(string[] args)
    {
        Compute.Threads = Array.IndexOf(args, "--threads") is var at and >= 0 ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : 1;
        var cases = new Dictionary<string, Action>();
        while (Console.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            string key = $"{words[0]} {words[1]}";
            if (!cases.TryGetValue(key, out Action? call)) cases[key] = call = Case(words[0], int.Parse(words[1], CultureInfo.InvariantCulture));
            (double seconds, double bytes) = Time(call, double.Parse(words[2], CultureInfo.InvariantCulture));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds:r} {bytes:F0}"));
        }
    }

    // Calls too short for the clock are timed by the hundred.
    private static (double Seconds, double Bytes) Time(Action call, double duration)
    {
        double start = Clock.Seconds;
        int calls = 1;
        while (true)
        {
            double before = Clock.Seconds;
            for (int i = 0; i < calls; i++) call();
            if (Clock.Seconds - before > 1e-3 || Clock.Seconds - start > duration) break;
            calls *= 2;
        }

        var seconds = new List<double>(4096);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        long made = 0;
        while (seconds.Count < LeastCalls || Clock.Seconds - start < duration)
        {
            double before = Clock.Seconds;
            for (int i = 0; i < calls; i++) call();
            seconds.Add((Clock.Seconds - before) / calls);
            made += calls;
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        seconds.Sort();
        return (seconds[seconds.Count / 2], (double)allocated / made);
    }

    private static Action Case(string name, int n)
    {
        switch (name)
        {
            case "mlp":
                return SmallNets.Perceptron();
            case "lstm":
                return SmallNets.Lstm();
            case "convolution":
                return SmallNets.Convolution();
        }

        const int Row = 100;
        float[] Values(int seed) => [.. Enumerable.Range(0, n).Select(i => (((i * 7919L) + seed) % 1000 / 500f) - 1)];
        (Tensor a, Tensor b, Tensor rows) = (Tensor.From(Values(1), [n]), Tensor.From(Values(501), [n]), Tensor.From(Values(1), [n / Row, Row]));
        Tensor condition = Ops.Less(a, b);
        Func<Tensor> op = name switch
        {
            "add" => () => Ops.Add(a, b),
            "multiply" => () => Ops.Multiply(a, b),
            "scale" => () => Ops.Multiply(a, 3f),
            "maximum" => () => Ops.Maximum(a, b),
            "less" => () => Ops.Less(a, b),
            "where" => () => Ops.Where(condition, a, b),
            "relu" => () => Ops.Relu(a),
            "exp" => () => Ops.Exp(a),
            "tanh" => () => Ops.Tanh(a),
            "sigmoid" => () => Ops.Sigmoid(a),
            "gelu" => () => Ops.Gelu(a),
            "sum" => () => Ops.Sum(a),
            "max" => () => Ops.Max(a),
            "sum-rows" => () => Ops.Sum(rows, 1),
            "sum-columns" => () => Ops.Sum(rows, 0),
            "argmax-rows" => () => Ops.ArgMax(rows, 1),
            "softmax" => () => Ops.Softmax(rows, 1),
            _ => throw new ArgumentException($"there is no op {name}"),
        };
        return () =>
        {
            using var scope = new TensorScope();
            op();
        };
    }
}
