using System.Diagnostics;
using System.Globalization;

namespace LoRA2.Native.Benchmarks;

/// <summary>A peer's products, timed by a process of its own that waits for a line between turns: `gemm` of bench/peers/torchsharp.</summary>
internal sealed class PeerProducts : IDisposable
{
    // OpenMP's threads spin for a while after a product; they must be asleep before the next turn.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(30);

    private readonly Process process;

    public PeerProducts(string command)
    {
        string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        process = Process.Start(new ProcessStartInfo(words[0], words[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
    }

    /// <summary>The median time of a product.</summary>
    public double Seconds(string type, int m, int n, int k, double seconds)
    {
        process.StandardInput.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{type} {m} {n} {k} {seconds}"));
        string answer = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the peer ended without an answer");
        Thread.Sleep(Settle);
        return double.Parse(answer, CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
    }
}
