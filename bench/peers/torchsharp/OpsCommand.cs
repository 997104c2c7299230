using System.Diagnostics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LoRA2.Native.Peers.Torch;

/// <summary>The ops and small training steps of our own <c>ops</c> command, under its names: answers every line "name elements seconds" with the median of the seconds of one call and the managed bytes of one.</summary>
internal static class OpsCommand
{
    private const int LeastCalls = 7, Classes = 10, Row = 100;

    public static void Run(int threads)
    {
        set_num_threads(threads);
        var cases = new Dictionary<string, Action>();
        while (Console.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            string key = $"{words[0]} {words[1]}";
            if (!cases.TryGetValue(key, out Action? call)) cases[key] = call = Case(words[0], int.Parse(words[1]));
            (double seconds, double bytes) = Time(call, double.Parse(words[2]), threads);
            Console.WriteLine($"{seconds:r} {bytes:F0}");
        }
    }

    // Calls too short for the clock are timed by the hundred.
    private static (double Seconds, double Bytes) Time(Action call, double duration, int threads)
    {
        // As our own clock: the processor's time with one thread.
        double Now() => threads == 1 ? Environment.CpuUsage.TotalTime.TotalSeconds : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
        double start = Now();
        int calls = 1;
        while (true)
        {
            double before = Now();
            for (int i = 0; i < calls; i++) call();
            if (Now() - before > 1e-3 || Now() - start > duration) break;
            calls *= 2;
        }

        var seconds = new List<double>(4096);
        long allocated = GC.GetAllocatedBytesForCurrentThread(), made = 0;
        while (seconds.Count < LeastCalls || Now() - start < duration)
        {
            double before = Now();
            for (int i = 0; i < calls; i++) call();
            seconds.Add((Now() - before) / calls);
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
                return Step(Sequential(Linear(784, 256), ReLU(), Linear(256, 256), ReLU(), Linear(256, Classes)), Given(64, 784), 64);
            case "lstm":
                return Step(new LastOfLstm(), Given(16, 32, 64), 16);
            case "convolution":
                return Step(Sequential(Conv2d(1, 16, 3, padding: 1), ReLU(), MaxPool2d(2), Conv2d(16, 32, 3, padding: 1), ReLU(), Flatten(), Linear(32 * 14 * 14, Classes)), Given(16, 1, 28, 28), 16);
        }

        Tensor Values(int seed) => tensor(Enumerable.Range(0, n).Select(i => (((i * 7919L) + seed) % 1000 / 500f) - 1).ToArray());
        (Tensor a, Tensor b) = (Values(1), Values(501));
        Tensor rows = a.reshape(n / Row, Row), condition = a.lt(b);
        Func<Tensor> op = name switch
        {
            "add" => () => a.add(b),
            "multiply" => () => a.mul(b),
            "scale" => () => a.mul(3f),
            "maximum" => () => maximum(a, b),
            "less" => () => a.lt(b),
            "where" => () => where(condition, a, b),
            "relu" => () => a.relu(),
            "exp" => () => a.exp(),
            "tanh" => () => a.tanh(),
            "sigmoid" => () => a.sigmoid(),
            "gelu" => () => functional.gelu(a),
            "sum" => () => a.sum(),
            "max" => () => a.max(),
            "sum-rows" => () => rows.sum(1),
            "sum-columns" => () => rows.sum(0),
            "argmax-rows" => () => rows.argmax(1),
            "softmax" => () => rows.softmax(1),
            _ => throw new ArgumentException($"there is no op {name}"),
        };
        return () =>
        {
            using IDisposable none = inference_mode();
            using Tensor made = op();
        };
    }

    private static Tensor Given(params long[] shape) => tensor(Enumerable.Range(0, (int)shape.Aggregate((a, b) => a * b)).Select(i => (i * 7919L % 1000 / 500f) - 1).ToArray()).reshape(shape);

    private static Action Step(Module<Tensor, Tensor> net, Tensor inputs, int rows)
    {
        Tensor labels = tensor(Enumerable.Range(0, rows).Select(i => (long)(i % Classes)).ToArray());
        var optimizer = optim.AdamW(net.parameters(), 1e-3);
        return () =>
        {
            using IDisposable scope = NewDisposeScope();
            Tensor loss = functional.cross_entropy(net.forward(inputs), labels);
            loss.backward();
            optimizer.step();
            optimizer.zero_grad();
        };
    }

    private sealed class LastOfLstm : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.LSTM lstm = LSTM(64, 128, batchFirst: true);
        private readonly TorchSharp.Modules.Linear output = Linear(128, Classes);

        public LastOfLstm()
            : base(nameof(LastOfLstm)) => RegisterComponents();

        public override Tensor forward(Tensor x) => output.forward(lstm.forward(x).Item1.select(1, 31));
    }
}
