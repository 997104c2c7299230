using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Checks;

/// <summary>
/// Compares second derivatives, the gradients of gradients taken with <see cref="Tape.Gradients"/> and <c>createGraph</c>, with central differences of the gradients in double precision.
/// </summary>
/// <example><code>
/// GradGradCheck.Verify(inputs => Ops.Tanh(Ops.MatMul(inputs[0], inputs[1])), [a, b]);
/// </code></example>
public static class GradGradCheck
{
    /// <summary>
    /// Checks the derivatives of the gradient of a fixed pseudo-random projection of the function's result, itself projected, with respect to every input that requires a gradient and to the projection.
    /// </summary>
    /// <param name="function">The function, on Float64 copies of the floating-point inputs. It must be deterministic.</param>
    /// <param name="inputs">Where to check. Integer inputs, and those that don't require a gradient, are held fixed.</param>
    /// <param name="tolerance">The largest error allowed, relative to the largest entry of the derivative.</param>
    /// <param name="samples">As that of <see cref="GradientCheck.Run"/>; 0 for the fast mode, in which each input is moved along one random direction alone.</param>
    /// <exception cref="GradientCheckException">A derivative differs by more, the function is not deterministic, or there was nothing to check.</exception>
    /// <exception cref="NotSupportedException">An op has no second derivative.</exception>
    public static void Verify(Func<IReadOnlyList<Tensor>, Tensor> function, IReadOnlyList<Tensor> inputs, double tolerance = 1e-5, int samples = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(inputs);
        Tensor seed = Random(Shape(function, inputs), 1);
        seed.RequiresGrad = true;
        bool[] wanted = [.. inputs.Select(input => input.RequiresGrad && input.DType.IsFloat())];
        Tensor[] weights = [.. inputs.Select((input, i) => Random(input.Shape, i + 2))];
        GradientCheck.Verify(all => Projected(function, all, wanted, weights), [.. inputs, seed], DType.Float64, tolerance, samples);
    }

    /// <summary>Σ over the inputs of their gradients times fixed weights; the last of all tensors is the gradient of the function's result.</summary>
    private static Tensor Projected(Func<IReadOnlyList<Tensor>, Tensor> function, IReadOnlyList<Tensor> all, bool[] wanted, Tensor[] weights)
    {
        if (Recording.Current is not null) return On(Recording.Current, createGraph: true);
        using var tape = new Tape();
        return On(Recording.Current!, createGraph: false);

        Tensor On(Recording recording, bool createGraph)
        {
            // A check moves copies that require no gradient: those whose gradient is wanted do here.
            Tensor[] inputs = [.. all.Take(weights.Length).Select((input, i) => wanted[i] && !input.RequiresGrad ? Required(input) : input)];
            Tensor y = function(inputs);
            Tensor sum = Tensor.Zeros([], DType.Float64);
            if (!y.RequiresGrad) return sum;
            Tensor[] gradients = recording.Gradients(y, all[^1], [.. inputs.Where((_, i) => wanted[i])], createGraph);
            Tensor[] used = [.. weights.Where((_, i) => wanted[i])];
            for (int i = 0; i < gradients.Length; i++) sum = Ops.Add(sum, Ops.Sum(Ops.Multiply(gradients[i], used[i])));
            return sum;
        }
    }

    private static Tensor Required(Tensor input)
    {
        Tensor alias = input.Alias();
        alias.RequiresGrad = true;
        return alias;
    }

    private static Shape Shape(Func<IReadOnlyList<Tensor>, Tensor> function, IReadOnlyList<Tensor> inputs)
    {
        using var scope = new Memory.TensorScope();
        return function([.. inputs.Select(input => input.DType.IsFloat() ? input.To(DType.Float64) : input)]).Shape;
    }

    private static Tensor Random(Shape shape, int seed)
    {
        var random = new Random(seed);
        double[] values = new double[shape.Elements];
        for (int i = 0; i < values.Length; i++) values[i] = (random.NextDouble() * 2) - 1;
        return Tensor.From(values, shape);
    }
}
