using LoRA2.Native.Tensors;
using Xunit.Abstractions;

namespace LoRA2.Native.Tests.Golden;

/// <summary>Compares with a trace, remembers the largest difference of each kind of tensor, and says it in the test's output.</summary>
internal sealed class Closeness(ITestOutputHelper output, string family)
{
    private readonly Dictionary<string, (double Error, string Name)> largest = [];
    private readonly List<string> failures = [];

    /// <summary>|found − expected| ≤ tolerance for every element.</summary>
    public void Absolute(string what, string name, ReadOnlySpan<float> expected, ReadOnlySpan<float> found, double tolerance) =>
        Check(what, name, expected, found, tolerance, 1);

    /// <summary>|found − expected| ≤ tolerance · largest |expected| for every element.</summary>
    public void Relative(string what, string name, ReadOnlySpan<float> expected, ReadOnlySpan<float> found, double tolerance) =>
        Check(what, name, expected, found, tolerance, Largest(expected));

    /// <summary>A single number, |found − expected| ≤ tolerance · max(1, |expected|).</summary>
    public void Number(string what, string name, double expected, double found, double tolerance)
    {
        double error = Math.Abs(found - expected) / Math.Max(1, Math.Abs(expected));
        Note(what, name, error);
        if (!(error <= tolerance)) failures.Add($"{name}: {found}, {expected} was expected");
    }

    /// <summary>A single number, |found − expected| ≤ tolerance · max(least, |expected|).</summary>
    public void Ratio(string what, string name, double expected, double found, double tolerance, double least)
    {
        double error = expected == found ? 0 : Math.Abs(found - expected) / Math.Max(least, Math.Abs(expected));
        Note(what, name, error);
        if (!(error <= tolerance)) failures.Add($"{name}: {found:g9}, {expected:g9} was expected");
    }

    /// <summary>
    /// A parameter that AdamW trained. AdamW divides a gradient by its own size: an element whose gradient is only rounding noise moves by up to
    /// the rate, each run in its own way. So one element, and one of each thousand, may differ by up to <paramref name="most"/>.
    /// </summary>
    public void Trained(string name, float[] expected, Tensor parameter, double most)
    {
        float[] found = parameter.ToArray<float>();
        int strays = found.Length == expected.Length ? found.Zip(expected).Count(pair => Math.Abs(pair.First - pair.Second) > Tolerance.TrainedWeights) : 0;
        bool few = strays <= 1 + (found.Length / 1000);
        Absolute(strays == 0 ? "weights" : "weights with stray elements", name, expected, found, strays > 0 && few ? most : Tolerance.TrainedWeights);
    }

    /// <summary>A parameter's gradient, relative to its largest entry; none counts as zeros.</summary>
    public void Gradient(string name, float[] expected, Tensor parameter)
    {
        float[] found = parameter.Grad is { } gradient ? gradient.ToArray<float>() : new float[parameter.Count];
        double scale = Largest(expected);
        if (scale < Tolerance.GradientNoise) Absolute("gradients that are noise", name, expected, found, Tolerance.GradientNoise);
        else Relative("gradients", name, expected, found, Math.Max(Tolerance.Gradients, Math.Min(Tolerance.GradientsAtMost, Tolerance.GradientRounding / scale)));
    }

    /// <summary>Writes the largest differences, and fails with every tensor that was too far off.</summary>
    public void Report()
    {
        foreach ((string what, (double error, string name)) in largest) output.WriteLine($"{family}: {what} {error:0.0e+0} ({name})");
        Assert.True(failures.Count == 0, $"{family}: {failures.Count} differ\n{string.Join('\n', failures.Take(40))}");
    }

    private void Check(string what, string name, ReadOnlySpan<float> expected, ReadOnlySpan<float> found, double tolerance, double scale)
    {
        if (expected.Length != found.Length)
        {
            failures.Add($"{name}: {found.Length} elements, {expected.Length} were expected");
            return;
        }

        double worst = 0;
        int place = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs((double)found[i] - expected[i]) / scale;
            if (error <= worst) continue;
            worst = error;
            place = i;
            if (double.IsNaN(error)) break;
        }

        Note(what, name, worst);
        if (!(worst <= tolerance)) failures.Add($"{name}[{place}]: {found[place]:g9}, {expected[place]:g9} was expected; {worst:0.0e+0} of {scale:0.0e+0} is above {tolerance}");
    }

    private static double Largest(ReadOnlySpan<float> values)
    {
        double largest = 0;
        foreach (float value in values) largest = Math.Max(largest, Math.Abs(value));
        return largest;
    }

    private void Note(string what, string name, double error)
    {
        if (!largest.TryGetValue(what, out (double Error, string Name) before) || !(error <= before.Error)) largest[what] = (error, name);
    }
}
