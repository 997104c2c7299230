using System.Globalization;

namespace LoRA2.Native.Benchmarks;

/// <summary>Our side of bench/turns.py: says that it is ready, and answers every line on standard input with a number, and the processor seconds that it took, until the input ends.</summary>
internal static class Serve
{
    public static void Lines(Func<double> answer)
    {
        answer();
        Console.WriteLine("ready");
        while (Console.ReadLine() is not null)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            double number = answer();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{number:r} {(Environment.CpuUsage.TotalTime - before).TotalSeconds:r}"));
        }
    }
}
