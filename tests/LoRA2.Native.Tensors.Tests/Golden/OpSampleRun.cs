using System.Text.Json;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>Runs a sample and compares outputs and gradients with PyTorch's.</summary>
internal static class OpSampleRun
{
    /// <summary>
    /// Whether no computation in single precision can be expected to give the numbers: in double, with each input moved by one rounding of single precision, they are missed too.
    /// </summary>
    public static bool IsIllConditioned(OpSample sample, Func<OpCall, Tensor[]> op, double tolerance) => Problem(sample, op, DType.Float64, tolerance, perturbation: 1.2e-7) is not null;

    /// <summary>What is wrong with the sample, or null. The perturbation is that of each input, relative to it.</summary>
    public static string? Problem(OpSample sample, Func<OpCall, Tensor[]> op, DType type, double tolerance, double perturbation = 0)
    {
        using var scope = new TensorScope();
        try
        {
            return Compare(sample, op, type, tolerance, perturbation);
        }
        catch (Exception e)
        {
            return $"{e.GetType().Name}: {e.Message}";
        }
    }

    private static string? Compare(OpSample sample, Func<OpCall, Tensor[]> op, DType type, double tolerance, double perturbation)
    {
        using var tape = new Tape();
        var inputs = new Dictionary<string, Tensor>();
        string[] wanted = [.. sample.Line.GetProperty("grad").EnumerateArray().Select(name => name.GetString()!)];
        Tensor Input(string name)
        {
            if (inputs.TryGetValue(name, out Tensor? made)) return made;
            Tensor input = sample.Stored(name) ?? throw new InvalidDataException($"{sample}: tensor {name} is not stored");
            if (input.DType == DType.Float64) input = Perturbed(input, perturbation).To(type);
            if (sample.Line.TryGetProperty("layout", out JsonElement layouts) && layouts.TryGetProperty(name, out JsonElement layout)) input = LaidOut(input, layout);
            if (wanted.Contains(name)) input.RequiresGrad = true;
            return inputs[name] = input;
        }

        Tensor[] outputs = op(new OpCall(sample.Line.GetProperty("args"), sample.Line.GetProperty("kwargs"), Input));
        int count = sample.Line.GetProperty("outputs").GetInt32();
        if (outputs.Length != count) return $"{outputs.Length} outputs; {count} were expected";
        Tensor? loss = null;
        for (int i = 0; i < count; i++)
        {
            Tensor expected = sample.Stored($"{sample.Id}.out{i}")!;
            if (Difference($"output {i}", expected, outputs[i], type, tolerance) is { } problem) return problem;
            if (sample.Stored(count == 1 ? $"{sample.Id}.w" : $"{sample.Id}.w{i}") is not { } weight) continue;
            Tensor term = Ops.Sum(Ops.Multiply(outputs[i], weight.To(type)));
            loss = loss is null ? term : Ops.Add(loss, term);
        }

        if (wanted.Length == 0) return null;
        if (loss!.RequiresGrad) tape.Backward(loss);
        foreach (string name in wanted)
        {
            Tensor expected = Errata.Gradient(sample, name) ?? sample.Stored(name.Replace(".in", ".grad", StringComparison.Ordinal))!;
            Tensor actual = Input(name).Grad ?? Tensor.Zeros(expected.Shape, type);
            if (Difference($"gradient of {name}", expected, actual, type, tolerance) is { } problem) return problem;
        }

        return null;
    }

    private static Tensor Perturbed(Tensor x, double perturbation)
    {
        if (perturbation == 0) return x;
        var random = new Random(x.Count);
        foreach (ref double value in x.AsSpan<double>()) value *= 1 + (random.Next(2) == 0 ? perturbation : -perturbation);
        return x;
    }

    /// <summary>The tensor as PyTorch was given it: with the same strides in a larger array, whose other elements must not matter.</summary>
    private static Tensor LaidOut(Tensor x, JsonElement layout)
    {
        int[] strides = [.. layout.GetProperty("strides").EnumerateArray().Select(stride => stride.GetInt32())];
        int offset = layout.GetProperty("offset").GetInt32();
        int size = offset + 1;
        for (int i = 0; i < strides.Length; i++) size += strides[i] * Math.Max(0, x.Shape[i] - 1);
        Tensor whole = Tensor.Full([size], 1, x.DType);
        Tensor view = whole.View(x.Shape, strides, offset);
        int width = x.DType.Size();
        for (int i = 0; i < x.Count; i++)
        {
            int rest = i, place = offset;
            for (int axis = x.Shape.Rank - 1; axis >= 0; axis--)
            {
                place += rest % x.Shape[axis] * strides[axis];
                rest /= x.Shape[axis];
            }

            unsafe
            {
                Buffer.MemoryCopy(x.Pointer + (i * width), whole.Pointer + (place * width), width, width);
            }
        }

        return view;
    }

    private static string? Difference(string what, Tensor expected, Tensor actual, DType type, double tolerance)
    {
        if (!expected.Shape.Equals(actual.Shape)) return $"{what} has shape {actual.Shape}; {expected.Shape} was expected";
        DType needed = expected.DType == DType.Float64 ? type : expected.DType;
        if (actual.DType != needed) return $"{what} is {actual.DType}; {needed} was expected";
        double[] wanted = expected.To(DType.Float64).ToArray<double>();
        double[] given = actual.To(DType.Float64).ToArray<double>();
        // Relative to each element, or to 1 (or the largest, if that is less) for smaller ones; what should be 0 may be off by a few hundred roundings of 1 in double.
        double rounding = type == DType.Float64 ? 1e-13 : 1e-6;
        double largest = wanted.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();
        for (int i = 0; i < wanted.Length; i++)
        {
            if (wanted[i].Equals(given[i]) || wanted[i] == given[i]) continue;
            double allowed = expected.DType == DType.Float64 ? Math.Max(rounding, tolerance * Math.Max(Math.Abs(wanted[i]), Math.Min(1, largest))) : 0;
            if (!(Math.Abs(wanted[i] - given[i]) <= allowed) || double.IsInfinity(wanted[i])) return $"{what} at element {i} is {given[i]:R}; {wanted[i]:R} was expected";
        }

        return null;
    }
}
