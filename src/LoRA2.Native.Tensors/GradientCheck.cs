namespace LoRA2.Native.Tensors;

/// <summary>How a <see cref="GradientCheck"/> came out.</summary>
/// <param name="Error">The largest difference of one entry, relative to the largest entry of its input's gradient.</param>
/// <param name="Input">Index of the input where it was found.</param>
/// <param name="Element">Index of the element there.</param>
/// <param name="Analytic">The backward pass's value there.</param>
/// <param name="Numeric">The central difference's value there.</param>
public readonly record struct GradientCheckResult(double Error, int Input, int Element, double Analytic, double Numeric);

/// <summary>A gradient that differs from central differences by more than was allowed.</summary>
public sealed class GradientCheckException(string message) : Exception(message);

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
    public static GradientCheckResult Run(
        Func<IReadOnlyList<Tensor>, Tensor> function, IReadOnlyList<Tensor> inputs, DType precision = DType.Float64, double step = 6e-6, double floor = 1e-3)
    {
        using var scope = new TensorScope();
        Tensor[] exact = Copies(inputs, DType.Float64);
        double[] projection = Projection(function, exact);
        double[]?[] analytic = Analytic(function, Copies(inputs, precision), projection, precision);
        foreach (Tensor tensor in exact) tensor.RequiresGrad = false;
        var worst = new GradientCheckResult(0, -1, -1, 0, 0);
        for (int i = 0; i < exact.Length; i++)
        {
            if (analytic[i] is not { } gradient) continue;
            double[] numeric = Numeric(function, exact, i, projection, step);
            double scale = floor;
            foreach (double value in numeric) scale = Math.Max(scale, Math.Abs(value));
            for (int e = 0; e < numeric.Length; e++)
            {
                double error = Math.Abs(numeric[e] - gradient[e]) / scale;
                if (!(error <= worst.Error)) worst = new GradientCheckResult(double.IsNaN(error) ? double.PositiveInfinity : error, i, e, gradient[e], numeric[e]);
            }
        }

        return worst;
    }

    /// <summary>The same, and throws when the error is above <paramref name="tolerance"/> (1e-5 in double and 1e-3 in single precision when left out).</summary>
    /// <exception cref="GradientCheckException">It is; the message says where and by how much.</exception>
    public static void Verify(
        Func<IReadOnlyList<Tensor>, Tensor> function, IReadOnlyList<Tensor> inputs, DType precision = DType.Float64, double? tolerance = null)
    {
        double allowed = tolerance ?? (precision == DType.Float64 ? 1e-5 : 1e-3);
        GradientCheckResult worst = Run(function, inputs, precision);
        if (worst.Error <= allowed) return;
        throw new GradientCheckException(
            $"gradient of input {worst.Input} {inputs[worst.Input].Shape} at element {worst.Element}: backward gives {worst.Analytic:g9}, central differences {worst.Numeric:g9}; relative error {worst.Error:g3} is above {allowed:g3}");
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
        var random = new Random(20240813);
        double[] projection = new double[function(inputs).Count];
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

    private static double[] Numeric(Func<IReadOnlyList<Tensor>, Tensor> function, Tensor[] inputs, int index, double[] projection, double step)
    {
        double[] numeric = new double[inputs[index].Count];
        for (int e = 0; e < numeric.Length; e++)
        {
            double x = inputs[index].AsSpan<double>()[e];
            double h = step * Math.Max(1, Math.Abs(x));
            inputs[index].AsSpan<double>()[e] = x + h;
            double above = Projected(function, inputs, projection);
            inputs[index].AsSpan<double>()[e] = x - h;
            double below = Projected(function, inputs, projection);
            inputs[index].AsSpan<double>()[e] = x;
            numeric[e] = (above - below) / ((x + h) - (x - h));
        }

        return numeric;
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
