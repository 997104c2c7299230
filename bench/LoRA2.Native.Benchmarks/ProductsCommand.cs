using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// Times the matrix products that decide a training step, each precision and each kind in turn, and prints one JSON object of GFLOP/s and GB/s.
/// Options: <c>--threads N</c>, <c>--seconds S</c> for each product.
/// </summary>
internal static class ProductsCommand
{
    /// <summary>Tall matrices gone through in turn, so that each is read from memory: together more than the last-level cache.</summary>
    private const int TallCopies = 64;

    private static readonly (string Name, int M, int N, int K)[] Shapes = [("1024^3", 1024, 1024, 1024), ("1024x768.768x3072", 1024, 3072, 768)];

    public static void Run(string[] args)
    {
        (int threads, double seconds) = (2, 0.5);
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            if (args[i] == "--threads") threads = int.Parse(args[i + 1], CultureInfo.InvariantCulture);
            else if (args[i] == "--seconds") seconds = double.Parse(args[i + 1], CultureInfo.InvariantCulture);
            else throw new ArgumentException($"'{args[i]}' is not an option; --threads and --seconds are");
        }

        Compute.Threads = threads;
        using var json = new Utf8JsonWriter(Console.OpenStandardOutput());
        json.WriteStartObject();
        json.WriteNumber("threads", threads);
        json.WriteString("simd", Compute.SimdPath);
        json.WriteStartObject("gflops");
        foreach ((string name, int m, int n, int k) in Shapes)
        {
            foreach (Precision precision in Enum.GetValues<Precision>())
            {
                json.WriteNumber($"{precision.ToString().ToLowerInvariant()} {name}", Frozen(m, n, k, precision, seconds));
            }

            json.WriteNumber($"float32, B not packed before, {name}", AsItLies(m, n, k, seconds));
        }

        json.WriteEndObject();
        json.WriteStartObject("gigabytes_per_second");
        Tall(json, seconds);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        Console.WriteLine();
    }

    private static double Frozen(int m, int n, int k, Precision precision, double seconds)
    {
        using var scope = new TensorScope();
        (Tensor a, Tensor b, Tensor c) = (Random([m, k], 1), Random([n, k], 2), Tensor.Empty([m, n]));
        b.Freeze();
        return 2.0 * m * n * k / 1e9 / Median(seconds, _ => a.Device.Kernels.MatMul(a, false, b, true, c, precision: precision));
    }

    private static double AsItLies(int m, int n, int k, double seconds)
    {
        using var scope = new TensorScope();
        (Tensor a, Tensor b, Tensor c) = (Random([m, k], 1), Random([k, n], 2), Tensor.Empty([m, n]));
        return 2.0 * m * n * k / 1e9 / Median(seconds, _ => a.Device.Kernels.MatMul(a, false, b, false, c));
    }

    /// <summary>
    /// N = 1024, d = 768, k = 8: t = x A, and the gradients of both factors. Bytes are those of the tall matrix, read once. The yardstick is a sum
    /// of squares of the same matrices.
    /// </summary>
    private static void Tall(Utf8JsonWriter json, double seconds)
    {
        const int rows = 1024, width = 768, rank = 8;
        using var scope = new TensorScope();
        Tensor[] tall = [.. Enumerable.Range(0, TallCopies).Select(i => Random([rows, width], (ulong)i))];
        (Tensor factor, Tensor thin, Tensor t, Tensor gradient, Tensor across) =
            (Random([rank, width], 3), Random([rows, rank], 4), Tensor.Empty([rows, rank]), Tensor.Empty([rank, width]), Tensor.Empty([width, rank]));
        Kernels kernels = factor.Device.Kernels;
        double bytes = rows * width * sizeof(float) / 1e9;
        json.WriteNumber("read", bytes / Median(seconds, i => kernels.SumOfSquares(tall[i % TallCopies])));
        json.WriteNumber("x A", bytes / Median(seconds, i => kernels.MatMul(tall[i % TallCopies], false, factor, true, t)));
        json.WriteNumber("h^T x", bytes / Median(seconds, i => kernels.MatMul(thin, true, tall[i % TallCopies], false, gradient)));
        json.WriteNumber("y^T t", bytes / Median(seconds, i => kernels.MatMul(tall[i % TallCopies], true, thin, false, across)));
    }

    private static double Median(double seconds, Action<int> product)
    {
        // As long as it is timed: the just-in-time compiler works beside the first calls.
        var warmup = Stopwatch.StartNew();
        for (int i = 0; i < 3 || warmup.Elapsed.TotalSeconds < seconds; i++) product(i);
        var times = new List<double>();
        var whole = Stopwatch.StartNew();
        while (whole.Elapsed.TotalSeconds < seconds || times.Count < 5)
        {
            var clock = Stopwatch.StartNew();
            product(times.Count);
            times.Add(clock.Elapsed.TotalSeconds);
        }

        times.Sort();
        return times[times.Count / 2];
    }

    private static Tensor Random(Shape shape, ulong seed)
    {
        Tensor tensor = Tensor.Empty(shape);
        new Philox(seed, 0).FillUniform(tensor.AsSpan<float>(), -0.5f, 0.5f);
        return tensor;
    }
}
