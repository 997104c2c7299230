using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Adapters;

/// <summary>What PEFT takes out of a layer's weight when it makes an adapter, and makes the adapter's start: a saved adapter means something only without it.</summary>
internal enum RemovedPart
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The largest singular values with their vectors (PiSSA, arXiv 2404.02948).</summary>
    Principal,

    /// <summary>Scale times the first columns of Q and rows of R of the weight's QR decomposition (OLoRA, arXiv 2406.01775).</summary>
    Orthonormal,
}

/// <summary>The parts as factors.</summary>
internal static class RemovedParts
{
    /// <summary>The part by PEFT's <c>init_lora_weights</c>; null for a start that takes nothing out, or one that is not known.</summary>
    public static RemovedPart? Named(string name) => name switch
    {
        "pissa" => RemovedPart.Principal,
        _ when name.Equals("olora", StringComparison.OrdinalIgnoreCase) => RemovedPart.Orthonormal,
        _ => null,
    };

    /// <summary>The part as scale · B A, Float32 on the CPU in the current tensor scope: A [rank, in], B [out, rank].</summary>
    /// <exception cref="InputException">The weight is not finite or has no such rank, or the scale is 0.</exception>
    public static (Tensor A, Tensor B) Of(RemovedPart part, LinearLayer layer, int rank, double scale)
    {
        if (rank > Math.Min(layer.Inputs, layer.Outputs)) throw new InputException($"{layer.Weight.Name}: the adapter's rank is {rank}, and the weight has {layer.Outputs} rows and {layer.Inputs} columns; PEFT makes no such adapter of a part of it");
        if (part == RemovedPart.Orthonormal) return FirstColumns(layer, rank);
        if (scale == 0) throw new InputException($"{layer.Weight.Name}: lora_alpha is 0, of which no adapter is made by init_lora_weights = \"pissa\"");
        try
        {
            (Tensor left, float[] values, Tensor right) = TruncatedSvd.Of(layer.Weight.Value, rank);
            Tensor roots = Tensor.From(Array.ConvertAll(values, value => (float)Math.Sqrt(value / Math.Abs(scale))), [rank]);
            // A negative scale has no real square root; PEFT's would be no numbers.
            return (Ops.Multiply(right, Ops.Reshape(roots, rank, 1)), Ops.Scale(Ops.Multiply(left, roots), Math.Sign(scale)));
        }
        catch (ArithmeticException e)
        {
            throw new InputException($"{layer.Weight.Name}: {e.Message}; there is no singular value decomposition of it", e);
        }
    }

    /// <summary>Q [out, rank], an orthonormal basis of W's first columns, and Qᵀ W [rank, in], by Gram and Schmidt's way, twice, in double precision.</summary>
    private static (Tensor A, Tensor B) FirstColumns(LinearLayer layer, int rank)
    {
        double[] weight = layer.Weight.Value.To(Device.Cpu).To(DType.Float64).ToArray<double>();
        (int rows, int columns) = (layer.Outputs, layer.Inputs);
        double[][] basis = new double[rank][];
        for (int k = 0; k < rank; k++)
        {
            double[] column = [.. Enumerable.Range(0, rows).Select(row => weight[(row * columns) + k])];
            double whole = Length(column);
            for (int pass = 0; pass < 2; pass++)
            {
                foreach (double[] other in basis.Take(k))
                {
                    double product = other.Zip(column, (a, b) => a * b).Sum();
                    for (int i = 0; i < rows; i++) column[i] -= product * other[i];
                }
            }

            double length = Length(column);
            if (!(length > 1e-12 * whole)) throw new InputException($"{layer.Weight.Name}: its first {k + 1} columns are not independent or not finite, so that nothing says what init_lora_weights = \"olora\" took out of it");
            basis[k] = Array.ConvertAll(column, value => value / length);
        }

        float[] q = new float[rows * rank], a = new float[rank * columns];
        for (int k = 0; k < rank; k++)
        {
            double[] sums = new double[columns];
            for (int row = 0; row < rows; row++)
            {
                q[(row * rank) + k] = (float)basis[k][row];
                for (int i = 0; i < columns; i++) sums[i] += basis[k][row] * weight[(row * columns) + i];
            }

            for (int i = 0; i < columns; i++) a[(k * columns) + i] = (float)sums[i];
        }

        return (Tensor.From(a, [rank, columns]), Tensor.From(q, [rows, rank]));
    }

    private static double Length(double[] values) => Math.Sqrt(values.Sum(value => value * value));
}
