using System.Diagnostics;
using System.Globalization;
using LoRA2.Native.Peers.Torch;
using static TorchSharp.torch;

// step [options of our own step command]: times steps. gemm [--threads N]: products, a line "type m n k seconds" for each. ops [--threads N]: a line "name elements seconds" for each. check GOLDEN: compares with HuggingFace's traces.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
switch (args)
{
    case ["step", .. var rest]:
        StepCommand.Run(Options(rest, new()
        {
            ["model"] = "deberta",
            ["method"] = "lora",
            ["dtype"] = "float32",
            ["layers"] = "12",
            ["hidden"] = "768",
            ["intermediate"] = "3072",
            ["heads"] = "12",
            ["vocabulary"] = "8000",
            ["batch"] = "8",
            ["length"] = "128",
            ["rank"] = "8",
            ["threads"] = "2",
            ["steps"] = "3",
            ["warmup"] = "1",
            ["dropout"] = "0.1",
            ["serve"] = "false",
        }));
        return 0;
    case ["gemm", .. var rest]:
        Products(int.Parse(Options(rest, new() { ["threads"] = "2" })["threads"]));
        return 0;
    case ["ops", .. var rest]:
        OpsCommand.Run(int.Parse(Options(rest, new() { ["threads"] = "1" })["threads"]));
        return 0;
    case ["check", var golden]:
        return GoldenCheck.Run(golden) ? 0 : 1;
    default:
        Console.Error.WriteLine("usage: TorchSharpPeer step|gemm|ops|check …");
        return 2;
}

static Dictionary<string, string> Options(string[] words, Dictionary<string, string> options)
{
    for (int i = 0; i + 1 < words.Length; i += 2) options[options.ContainsKey(words[i][2..]) ? words[i][2..] : throw new ArgumentException($"there is no option {words[i]}")] = words[i + 1];
    return options;
}

// [m, k] times the transpose of [n, k], as a linear layer multiplies.
static void Products(int threads)
{
    set_num_threads(threads);
    using var none = inference_mode();
    var operands = new Dictionary<string, (Tensor A, Tensor B)>();
    while (Console.ReadLine() is { } line)
    {
        string[] words = line.Split(' ');
        ScalarType type = words[0] == "float32" ? ScalarType.Float32 : ScalarType.BFloat16;
        (long m, long n, long k, double duration) = (long.Parse(words[1]), long.Parse(words[2]), long.Parse(words[3]), double.Parse(words[4]));
        string key = string.Join(' ', words[..4]);
        if (!operands.TryGetValue(key, out (Tensor A, Tensor B) pair)) operands[key] = pair = (randn(m, k).to(type), randn(n, k).to(type));
        var seconds = new List<double>();
        double start = Now();
        while (seconds.Count < 7 || Now() - start < duration)
        {
            double before = Now();
            using Tensor product = nn.functional.linear(pair.A, pair.B);
            seconds.Add(Now() - before);
        }

        double[] sorted = [.. seconds.Skip(2).Order()];
        Console.WriteLine(sorted[sorted.Length / 2].ToString("r"));
    }

    // As our own clock: the processor's time with one thread.
    double Now() => threads == 1 ? Environment.CpuUsage.TotalTime.TotalSeconds : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
}
