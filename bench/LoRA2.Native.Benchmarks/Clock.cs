using System.Diagnostics;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Benchmarks;

/// <summary>The time since some moment: the processor's own with one thread, so that what others take of a shared machine is not counted; else the wall's.</summary>
internal static class Clock
{
    public static double Seconds => Compute.Threads == 1 ? Environment.CpuUsage.TotalTime.TotalSeconds : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
}
