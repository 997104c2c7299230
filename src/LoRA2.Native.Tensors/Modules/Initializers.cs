using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Modules;

/// <summary>
/// First values of parameters, by PyTorch's formulas (<c>torch.nn.init</c>), written in place into a contiguous Float32 or Float64 tensor on the CPU. A weight's fans are those of [out, in, …].
/// </summary>
public static class Initializers
{
    /// <summary>Uniform between two numbers.</summary>
    public static Tensor Uniform(Tensor x, Philox random, double low, double high)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.DType == DType.Float64) random.FillUniform(x.AsSpan<double>(), low, high);
        else random.FillUniform(x.AsSpan<float>(), low, high);
        return x;
    }

    /// <summary>Normal.</summary>
    public static Tensor Normal(Tensor x, Philox random, double mean = 0, double deviation = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.DType == DType.Float64) random.FillNormal(x.AsSpan<double>(), mean, deviation);
        else random.FillNormal(x.AsSpan<float>(), mean, deviation);
        return x;
    }

    /// <summary>Normal, drawn again until it is between two numbers.</summary>
    public static Tensor TruncatedNormal(Tensor x, Philox random, double mean = 0, double deviation = 1, double low = -2, double high = 2)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (!(low < high)) throw new ArgumentException($"TruncatedNormal: {low} is not below {high}");
        double[] values = new double[x.Count];
        ulong next = 0;
        for (int i = 0; i < values.Length; i++)
        {
            do values[i] = mean + (deviation * random.NormalAt(next++));
            while (values[i] < low || values[i] > high);
        }

        using Tensor drawn = Tensor.From(values, x.Shape);
        x.CopyFrom(drawn);
        return x;
    }

    /// <summary>Uniform with variance 2 / (fan in + fan out), times gain² (Glorot and Bengio, AISTATS 2010).</summary>
    public static Tensor XavierUniform(Tensor x, Philox random, double gain = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        (double inputs, double outputs) = Fans(x.Shape);
        double bound = gain * Math.Sqrt(6 / (inputs + outputs));
        return Uniform(x, random, -bound, bound);
    }

    /// <summary>Normal with variance 2 / (fan in + fan out), times gain² (Glorot and Bengio, AISTATS 2010).</summary>
    public static Tensor XavierNormal(Tensor x, Philox random, double gain = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        (double inputs, double outputs) = Fans(x.Shape);
        return Normal(x, random, 0, gain * Math.Sqrt(2 / (inputs + outputs)));
    }

    /// <summary>Uniform with variance 2 / ((1 + slope²) fan), for rectifiers of that negative slope (arXiv 1502.01852).</summary>
    public static Tensor KaimingUniform(Tensor x, Philox random, double slope = 0, bool ofOutputs = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        (double inputs, double outputs) = Fans(x.Shape);
        double bound = Math.Sqrt(6 / ((1 + (slope * slope)) * (ofOutputs ? outputs : inputs)));
        return Uniform(x, random, -bound, bound);
    }

    /// <summary>Normal with variance 2 / ((1 + slope²) fan), for rectifiers of that negative slope (arXiv 1502.01852).</summary>
    public static Tensor KaimingNormal(Tensor x, Philox random, double slope = 0, bool ofOutputs = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        (double inputs, double outputs) = Fans(x.Shape);
        return Normal(x, random, 0, Math.Sqrt(2 / ((1 + (slope * slope)) * (ofOutputs ? outputs : inputs))));
    }

    /// <summary>A random matrix with orthonormal rows or columns, whichever are fewer, times a gain (arXiv 1312.6120); the axes after the first count as one.</summary>
    public static Tensor Orthogonal(Tensor x, Philox random, double gain = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank < 2) throw new ArgumentException($"Orthogonal: shape {x.Shape} has fewer than two axes");
        using var scope = new TensorScope();
        int rows = x.Shape[0], columns = x.Count / Math.Max(rows, 1);
        bool wide = rows < columns;
        Tensor drawn = Normal(Tensor.Empty(wide ? [columns, rows] : [rows, columns], DType.Float64), random);
        x.CopyFrom(Tape.Unrecorded(() =>
        {
            (Tensor q, Tensor r) = Ops.QR(drawn);
            q *= Ops.Sign(Ops.Diagonal(r)) * gain;
            return Ops.Reshape(wide ? Ops.Transpose(q) : q, x.Shape.Extents);
        }));
        return x;
    }

    private static (double Inputs, double Outputs) Fans(Shape shape)
    {
        if (shape.Rank < 2) throw new ArgumentException($"a weight of shape {shape} has no fans; two axes are needed");
        double field = 1;
        for (int i = 2; i < shape.Rank; i++) field *= shape[i];
        return (shape[1] * field, shape[0] * field);
    }
}
