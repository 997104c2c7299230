using System.Globalization;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// Prints <see cref="FusedMultiplyAdds"/> on one thread and on several at once (virtual cores may share a real one, or be lent to others) as one
/// JSON object; with <c>--serve true</c>, answers every line on standard input with that of several (bench/turns.py). Option: <c>--threads N</c>.
/// </summary>
internal static class PeakCommand
{
    private const int Rounds = 10;
    private const double Seconds = 0.1;

    public static void Run(string[] args)
    {
        (int threads, bool serve) = (2, false);
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            if (args[i] == "--threads") threads = int.Parse(args[i + 1], CultureInfo.InvariantCulture);
            else if (args[i] == "--serve") serve = bool.Parse(args[i + 1]);
            else throw new ArgumentException($"'{args[i]}' is not an option; --threads and --serve are");
        }

        Compute.Threads = threads;
        if (serve) Serve.Lines(() => FusedMultiplyAdds.Measure(threads, Seconds));
        (double one, double all) = (Best(1), Best(threads));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"fma_gflops_per_core\": {one:f1}, \"threads\": {threads}, \"fma_gflops\": {all:f1}, \"simd\": \"{Compute.SimdPath}\"}}"));
    }

    private static double Best(int threads) => Enumerable.Range(0, Rounds).Max(_ => FusedMultiplyAdds.Measure(threads, Seconds));
}
