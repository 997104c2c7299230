using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Checks;

/// <summary>How a <see cref="GradientCheck"/> came out.</summary>
/// <param name="Error">The largest difference of one entry, relative to the largest entry of its input's gradient that was looked at, or of the derivative along a direction, relative to that too.</param>
/// <param name="Input">Index of the input where it was found.</param>
/// <param name="Element">Index of the element there; −1 for the derivative along a random direction of the whole input.</param>
/// <param name="Analytic">The backward pass's value there.</param>
/// <param name="Numeric">The central difference's value there.</param>
public readonly record struct GradientCheckResult(double Error, int Input, int Element, double Analytic, double Numeric);

/// <summary>A gradient that differs from central differences by more than was allowed.</summary>
public sealed class GradientCheckException(string message) : Exception(message ?? throw new ArgumentNullException(nameof(message)));

/// <summary>
/// Compares the gradients of a function of tensors with central differences in double precision. For users who write ops, and for every op here.
/// </summary>
/// <example><code>
/// GradientCheck.Verify(inputs => Ops.Gelu(Ops.MatMul(inputs[0], inputs[1])), [a, b]);
/// </code></example>
public static class GradientCheck
{
    /// <summary>
    /// Checks every input that requires a gradient. The function is reduced to a number by a fixed pseudo-random projection of its result; each
    /// entry is moved by ± step and the quotient compared with the backward pass run in <paramref name="precision"/>.
    /// </summary>
    /// <param name="function">The function; called often, on Float64 copies of the floating-point inputs. It must be deterministic.</param>
    /// <param name="inputs">Where to check. Integer inputs, and those that don't require a gradient, are held fixed.</param>
    /// <param name="precision">The type the backward pass runs in; the differences are always in double.</param>
    /// <param name="step">Step of the differences, relative to max(1, |x|).</param>
    /// <param name="floor">Gradients smaller than this are compared absolutely.</param>
    /// <param name="samples">
    /// The most elements of one input that are moved one by one, each for two calls of the function. Of a larger input as many are picked, always
    /// the same ones, and all its elements are moved together along one random direction. 0 is the fast mode: that direction alone, at two calls an input.
    /// </param>
    /// <exception cref="GradientCheckException">The function gave two results for the same inputs, or there was nothing to check.</exception>
    public static GradientCheckResult Run(
        Func<IReadOnlyList<Tensor>, Tensor> function,
        IReadOnlyList<Tensor> inputs,
        DType precision = DType.Float64,
        double step = 6e-6,
        double floor = 1e-3,
        int samples = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentOutOfRangeException.ThrowIfNegative(samples);
        if (!inputs.Any(input => input.DType.IsFloat() && input.RequiresGrad && input.Count > 0))
            throw new GradientCheckException($"nothing was checked: none of the {inputs.Count} inputs has elements of floating point and requires a gradient");
        using var scope = new TensorScope();
        Tensor[] exact = Copies(inputs, DType.Float64);
        double[] projection = Projection(function, exact);
        if (projection.Length == 0) throw new GradientCheckException("nothing was checked: the function's result has no elements");
        double[]?[] analytic = Analytic(function, Copies(inputs, precision), projection, precision);
        foreach (Tensor tensor in exact) tensor.RequiresGrad = false;
        var worst = new GradientCheckResult(0, -1, -1, 0, 0);
        for (int i = 0; i < exact.Length; i++)
        {
            if (analytic[i] is not { } gradient) continue;
            int input = i;
            int[] elements = Elements(gradient.Length, samples);
            double[] numeric = Array.ConvertAll(elements, element => Difference(function, exact, input, Single(gradient.Length, element), projection, step));
            double scale = floor;
            foreach (double value in numeric)
            {
                if (Math.Abs(value) > scale) scale = Math.Abs(value);
            }

            for (int e = 0; e < elements.Length; e++) Compare(elements[e], gradient[elements[e]], numeric[e]);
            if (elements.Length == gradient.Length) continue;
            double[] direction = Direction(gradient.Length);
            double along = 0;
            for (int e = 0; e < gradient.Length; e++) along += gradient[e] * direction[e];
            double onward = Difference(function, exact, input, direction, projection, step);
            // The picked elements may be the small ones.
            scale = Math.Max(scale, Math.Abs(onward));
            Compare(-1, along, onward);

            void Compare(int element, double analytic, double difference)
            {
                double error = Math.Abs(difference - analytic) / scale;
                if (!(error <= worst.Error)) worst = new GradientCheckResult(double.IsNaN(error) ? double.PositiveInfinity : error, input, element, analytic, difference);
            }
        }

        return worst;
    }

    /// <summary>The same, and throws when the error is above <paramref name="tolerance"/> (1e-5 in double and 1e-3 in single precision when left out).</summary>
    /// <exception cref="GradientCheckException">It is, and the message says where and by how much; or the function is not deterministic.</exception>
    public static void Verify(
        Func<IReadOnlyList<Tensor>, Tensor> function,
        IReadOnlyList<Tensor> inputs,
        DType precision = DType.Float64,
        double? tolerance = null,
        int samples = int.MaxValue)
    {
        double allowed = tolerance ?? (precision == DType.Float64 ? 1e-5 : 1e-3);
        GradientCheckResult worst = Run(function, inputs, precision, samples: samples);
        if (worst.Error <= allowed) return;
        throw new GradientCheckException(
            $"gradient of input {worst.Input} {inputs[worst.Input].Shape} {(worst.Element < 0 ? "along a random direction" : $"at element {worst.Element}")}: backward gives {worst.Analytic:g9}, central differences {worst.Numeric:g9}; relative error {worst.Error:g3} is above {allowed:g3}");
    }

    private static Tensor[] Copies(IReadOnlyList<Tensor> inputs, DType dtype)
    {
        var copies = new Tensor[inputs.Count];
        for (int i = 0; i < copies.Length; i++)
        {
            Tensor input = inputs[i];
            if (!input.DType.IsFloat())
            {
                copies[i] = input;
                continue;
            }

            copies[i] = input.DType == dtype ? input.Clone() : input.To(dtype);
            copies[i].RequiresGrad = input.RequiresGrad;
        }

        return copies;
    }

    private static double[] Projection(Func<IReadOnlyList<Tensor>, Tensor> function, Tensor[] inputs)
    {
        using var scope = new TensorScope();
        double[] first = function(inputs).ToArray<double>();
        double[] second = function(inputs).ToArray<double>();
        for (int i = 0; i < Math.Max(first.Length, second.Length); i++)
        {
            if (first.Length != second.Length || !first[i].Equals(second[i]))
                throw new GradientCheckException($"the function is not deterministic: two calls on the same inputs differ at element {i} of the result");
        }

        var random = new Random(20240813);
        double[] projection = new double[first.Length];
        for (int i = 0; i < projection.Length; i++) projection[i] = (random.NextDouble() * 2) - 1;
        return projection;
    }

    private static double[]?[] Analytic(Func<IReadOnlyList<Tensor>, Tensor> function, Tensor[] inputs, double[] projection, DType precision)
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor y = function(inputs);
        if (y.RequiresGrad) tape.Backward(y, Tensor.From(projection, y.Shape).To(precision));
        return Array.ConvertAll(inputs, input => input.RequiresGrad ? input.Grad?.To(DType.Float64).ToArray<double>() ?? new double[input.Count] : null);
    }

    private static int[] Elements(int count, int samples)
    {
        int[] elements = [.. Enumerable.Range(0, count)];
        if (count <= samples) return elements;
        new Random(count).Shuffle(elements);
        return elements[..samples];
    }

    private static double[] Single(int count, int element)
    {
        double[] direction = new double[count];
        direction[element] = 1;
        return direction;
    }

    /// <summary>A direction of length 1 that has every element in it.</summary>
    private static double[] Direction(int count)
    {
        var random = new Random(count);
        double[] direction = new double[count];
        for (int i = 0; i < count; i++) direction[i] = (random.Next(2) == 0 ? 1 : -1) / Math.Sqrt(count);
        return direction;
    }

    /// <summary>The derivative of the projected function along a direction of one input, by a central difference.</summary>
    private static double Difference(
        Func<IReadOnlyList<Tensor>, Tensor> function, Tensor[] inputs, int input, double[] direction, double[] projection, double step)
    {
        double[] start = inputs[input].ToArray<double>();
        double size = 1;
        for (int i = 0; i < start.Length; i++) size = Math.Max(size, Math.Abs(start[i] * direction[i]));

        double h = step * size;
        double above = At(h);
        double below = At(-h);
        start.CopyTo(inputs[input].AsSpan<double>());
        return (above - below) / (2 * h);

        double At(double distance)
        {
            Span<double> x = inputs[input].AsSpan<double>();
            for (int i = 0; i < x.Length; i++) x[i] = start[i] + (distance * direction[i]);
            return Projected(function, inputs, projection);
        }
    }

    private static double Projected(Func<IReadOnlyList<Tensor>, Tensor> function, Tensor[] inputs, double[] projection)
    {
        using var scope = new TensorScope();
        double[] y = function(inputs).ToArray<double>();
        double sum = 0;
        for (int i = 0; i < y.Length; i++) sum += y[i] * projection[i];
        return sum;
    }
}
