using System.Globalization;
using System.Runtime.InteropServices;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// The matrix products that decide a training step, beside libtorch's and the cores' own limit, as Markdown. The sides take turns of a tenth of a
/// second, many rounds of them: what a shared machine takes away meanwhile, it takes from all, and ratios are those of one round.
/// Options: <c>--threads N</c>, <c>--rounds N</c>, <c>--seconds S</c> for each turn, <c>--peer COMMAND</c> (bench/peers/torchsharp, gemm),
/// <c>--only TEXT</c> for the products whose name starts so, the peak and the peer.
/// </summary>
internal static class ProductsCommand
{
    /// <summary>Tall matrices gone through in turn, so that each is read from memory: together more than the last-level cache.</summary>
    private const int TallCopies = 64;

    private const string Peak = "float32 peak", UnitPeak = "bfloat16 peak", BytesPeak = "int8 peak", Alone = ", one thread";

    private static readonly (string Name, int M, int N, int K)[] Shapes = [("1024^3", 1024, 1024, 1024), ("1024x768.768x3072", 1024, 3072, 768), ("1024x3072.3072x768", 1024, 768, 3072)];

    /// <summary>Whether the processor has instructions for bfloat16.</summary>
    private static bool HasUnit => Compute.BFloat16Path != "vector";

    public static void Run(string[] args)
    {
        (int threads, int rounds, double seconds, string? peer, string only) = (2, 20, 0.1, null, "");
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            if (args[i] == "--threads") threads = int.Parse(args[i + 1], CultureInfo.InvariantCulture);
            else if (args[i] == "--rounds") rounds = int.Parse(args[i + 1], CultureInfo.InvariantCulture);
            else if (args[i] == "--seconds") seconds = double.Parse(args[i + 1], CultureInfo.InvariantCulture);
            else if (args[i] == "--peer") peer = args[i + 1];
            else if (args[i] == "--only") only = args[i + 1];
            else throw new ArgumentException($"'{args[i]}' is not an option; --threads, --rounds, --seconds, --peer and --only are");
        }

        Compute.Threads = threads;
        Console.WriteLine(
            $"{RuntimeInformation.OSArchitecture}, {Compute.SimdPath}, bfloat16 on {Compute.BFloat16Path}; {threads} threads; {rounds} rounds, {seconds} s a turn{(threads == 1 ? " of processor time" : "")}. " +
            "Medians (lower to upper quartile) of the rounds.");
        using PeerProducts? other = peer is null ? null : new PeerProducts(peer);
        foreach ((string name, int m, int n, int k) in Shapes) Products(name, m, n, k, threads, rounds, seconds, other, only);
        if (only.Length > 0) return;
        Tall(rounds, seconds);
        if (threads > 1) Scaling(threads, rounds, seconds);
    }

    private static void Products(string name, int m, int n, int k, int threads, int rounds, double seconds, PeerProducts? peer, string only)
    {
        using var scope = new TensorScope();
        double work = 2.0 * m * n * k / 1e9;
        (Tensor a, Tensor rows, Tensor c) = (Random([m, k], 1), Random([k, n], 3), Tensor.Empty([m, n]));
        var turns = new Turns { { Peak, () => FusedMultiplyAdds.Measure(threads, seconds) } };
        turns.Add("float32 kernel in the first-level cache", () => TileInCache.Measure(threads, seconds));
        if (HasUnit) turns.Add(UnitPeak, () => UnitRate(threads, seconds));
        if (Compute.ProductsOf(Precision.Int8) == "VNNI") turns.Add(BytesPeak, () => DotPeak.OfBytes(threads, seconds));
        foreach (Precision precision in Enum.GetValues<Precision>())
        {
            string turn = $"{precision.ToString().ToLowerInvariant()}, B packed before";
            if (!turn.StartsWith(only, StringComparison.Ordinal)) continue;
            Tensor b = Random([n, k], 2);
            b.Freeze();
            turns.Add(turn, () => work / Median(seconds, _ => a.Device.Kernels.MatMul(a, false, b, true, c, precision: precision)));
        }

        if ("float32, B as it lies".StartsWith(only, StringComparison.Ordinal)) turns.Add("float32, B as it lies", () => work / Median(seconds, _ => a.Device.Kernels.MatMul(a, false, rows, false, c)));
        if (peer is not null)
        {
            foreach (string type in (string[])["float32", "bfloat16"]) turns.Add($"libtorch {type}", () => work / peer.Seconds(type, m, n, k, seconds));
        }

        turns.Run(rounds);
        Console.WriteLine($"\n| {name} | GFLOP/s | of the float32 peak | of its own peak | over libtorch |\n| --- | --- | --- | --- | --- |");
        foreach (string turn in turns.Names)
        {
            int terms = ProductsOfTerms(turn);
            string own = turn.StartsWith("int8, B", StringComparison.Ordinal) && turns.Names.Contains(BytesPeak) ? turns.Ratio(turn, BytesPeak) : terms == 0 || !HasUnit ? "" : turns.Ratio(turn, UnitPeak, terms);
            string other = terms == 1 ? "libtorch bfloat16" : "libtorch float32";
            bool ours = turn.Contains(", B", StringComparison.Ordinal);
            Console.WriteLine($"| {turn} | {turns.Rate(turn, "f0")} | {turns.Ratio(turn, Peak)} | {own} | {(ours && peer is not null ? turns.Ratio(turn, other) : "")} |");
        }
    }

    /// <summary>How many products of bfloat16 terms one of float32 operands takes; 0 where it is none of them.</summary>
    private static int ProductsOfTerms(string turn) => turn.Split(',')[0] switch
    {
        "bfloat16" => 1,
        "bfloat16x3" => 3,
        "bfloat16x6" => 6,
        _ => 0,
    };

    /// <summary>
    /// N = 1024, d = 768, k = 8: t = x A, and the gradients of both factors. Bytes are those of the tall matrix, read once. The yardstick is a sum
    /// of squares of the same matrices.
    /// </summary>
    private static void Tall(int rounds, double seconds)
    {
        const int rows = 1024, width = 768, rank = 8;
        using var scope = new TensorScope();
        Tensor[] tall = [.. Enumerable.Range(0, TallCopies).Select(i => Random([rows, width], (ulong)i))];
        Tensor sum = Tensor.Empty([], DType.Float64);
        (Tensor factor, Tensor thin, Tensor t, Tensor gradient, Tensor across) =
            (Random([rank, width], 3), Random([rows, rank], 4), Tensor.Empty([rows, rank]), Tensor.Empty([rank, width]), Tensor.Empty([width, rank]));
        Kernels kernels = factor.Device.Kernels;
        double bytes = rows * width * sizeof(float) / 1e9;
        var turns = new Turns
        {
            { "read", () => bytes / Median(seconds, i => kernels.SumOfSquares([tall[i % TallCopies]], sum)) },
            { "x A", () => bytes / Median(seconds, i => kernels.MatMul(tall[i % TallCopies], false, factor, true, t)) },
            { "hᵀ x", () => bytes / Median(seconds, i => kernels.MatMul(thin, true, tall[i % TallCopies], false, gradient)) },
            { "yᵀ t", () => bytes / Median(seconds, i => kernels.MatMul(tall[i % TallCopies], true, thin, false, across)) },
        };
        turns.Run(rounds);
        Console.WriteLine("\n| N = 1024, d = 768, k = 8, from memory | GB/s | of reading alone |\n| --- | --- | --- |");
        foreach (string turn in turns.Names) Console.WriteLine($"| {turn} | {turns.Rate(turn, "f1")} | {turns.Ratio(turn, "read")} |");
    }

    /// <summary>The same product on one thread and on all, beside what registers alone gain from the other cores.</summary>
    private static void Scaling(int threads, int rounds, double seconds)
    {
        using var scope = new TensorScope();
        var turns = new Turns();
        Add(Peak, count => FusedMultiplyAdds.Measure(count, seconds));
        if (HasUnit) Add(UnitPeak, count => UnitRate(count, seconds));
        foreach ((string name, int m, int n, int k) in Shapes)
        {
            (Tensor a, Tensor c) = (Random([m, k], 1), Tensor.Empty([m, n]));
            foreach (Precision precision in (Precision[])[Precision.Float32, Precision.BFloat16])
            {
                Tensor b = Random([n, k], 2);
                b.Freeze();
                Add($"{precision.ToString().ToLowerInvariant()} {name}", _ => 1 / Median(seconds, _ => a.Device.Kernels.MatMul(a, false, b, true, c, precision: precision)));
            }
        }

        turns.Run(rounds);
        Console.WriteLine($"\n| {threads} threads over one | ratio |\n| --- | --- |");
        foreach (string turn in turns.Names.Where(turn => !turn.EndsWith(Alone, StringComparison.Ordinal))) Console.WriteLine($"| {turn} | {turns.Ratio(turn, turn + Alone)} |");
        Compute.Threads = threads;

        void Add(string name, Func<int, double> measure)
        {
            turns.Add(name + Alone, () => On(1));
            turns.Add(name, () => On(threads));

            double On(int count)
            {
                Compute.Threads = count;
                return measure(count);
            }
        }
    }

    /// <summary>What the tile unit or vdpbf16ps can do.</summary>
    private static double UnitRate(int threads, double seconds) =>
        Compute.BFloat16Path == "AMX" ? TileProducts.Measure(threads, seconds) : DotPeak.OfBFloat16(threads, seconds);

    private static double Median(double seconds, Action<int> product)
    {
        for (int i = 0; i < 2; i++) product(i);
        var times = new List<double>();
        double start = Clock.Seconds;
        while (Clock.Seconds - start < seconds || times.Count < 5)
        {
            double before = Clock.Seconds;
            product(times.Count);
            times.Add(Clock.Seconds - before);
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
