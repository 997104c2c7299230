using System.Numerics;
using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Cpu;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>Tests that set the number of compute threads; they run one at a time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ThreadCountCollection
{
    public const string Name = "Number of threads";
}

/// <summary>What the kernels' tests share: lengths, inputs, comparison with a reference in double, equality over thread counts.</summary>
[Collection(ThreadCountCollection.Name)]
public abstract class KernelTest
{
    /// <summary>Every remainder of every register, and sizes that take several parts.</summary>
    internal static IEnumerable<int> Lengths => Enumerable.Range(0, 68).Concat([1000, 16384, 16389, 50001]);

    /// <summary>Rows and columns, with the same aims.</summary>
    internal static IEnumerable<(int Rows, int Columns)> Shapes =>
        Enumerable.Range(0, 68).Select(n => (3, n)).Concat([(0, 5), (1, 1), (67, 7), (33, 768), (70, 3072), (5000, 3), (2, 40000)]);

    internal static bool IsSingle<T>() => typeof(T) == typeof(float);

    internal static T Of<T>(double value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => T.CreateTruncating(value);

    internal static double[] Random(int length, int seed, double scale = 2)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, length).Select(_ => (double)(float)((random.NextDouble() - 0.5) * 2 * scale)).ToArray();
    }

    internal static GuardedArray<T> Array<T>(IEnumerable<double> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new(values.Select(Of<T>).ToArray());

    /// <summary>|actual − expected| ≤ tolerance · max(floor, |expected|), the tolerance being <paramref name="single"/> for float and 1e-13 or so for double.</summary>
    internal static void Close<T>(IReadOnlyList<double> expected, GuardedArray<T> actual, double single = 2e-6, double twice = 1e-13, double floor = 1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        actual.Check();
        Assert.Equal(expected.Count, actual.Length);
        double tolerance = IsSingle<T>() ? single : twice;
        for (int i = 0; i < expected.Count; i++)
        {
            double value = double.CreateTruncating(actual[i]);
            if (value.Equals(expected[i])) continue;
            double allowed = tolerance * Math.Max(floor, Math.Abs(expected[i]));
            Assert.True(Math.Abs(value - expected[i]) <= allowed, $"Element {i} of {expected.Count}: {value:R} instead of {expected[i]:R}.");
        }
    }

    /// <summary>Runs the kernel with 1, 2, 3 and 4 threads on a fresh copy of <paramref name="initial"/>; the bits must be the same.</summary>
    internal static GuardedArray<T> SameForAnyThreads<T>(ReadOnlySpan<T> initial, Action<GuardedArray<T>> kernel)
        where T : unmanaged
    {
        int before = ThreadTeam.Count;
        try
        {
            ThreadTeam.Count = 1;
            var first = new GuardedArray<T>(initial);
            kernel(first);
            for (int threads = 2; threads <= 4; threads++)
            {
                ThreadTeam.Count = threads;
                using var other = new GuardedArray<T>(initial);
                kernel(other);
                Assert.True(MemoryMarshal.AsBytes(first.Span).SequenceEqual(MemoryMarshal.AsBytes(other.Span)), $"{threads} threads differ from 1.");
            }

            return first;
        }
        finally
        {
            ThreadTeam.Count = before;
        }
    }

    internal static GuardedArray<T> SameForAnyThreads<T>(IEnumerable<double> initial, Action<GuardedArray<T>> kernel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        SameForAnyThreads<T>(initial.Select(Of<T>).ToArray().AsSpan(), kernel);
}
