using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Adapters;

/// <summary>
/// The largest singular values of a matrix and their vectors, by block Krylov iteration with full reorthogonalisation and Rayleigh-Ritz in double precision. It
/// starts from fixed pseudo-random vectors, so the same matrix always gives the same result; blocks wider than the rank find repeated singular values too.
/// </summary>
internal static class TruncatedSvd
{
    private const int Spare = 8;
    private const double Tolerance = 1e-7;

    /// <summary>U [m, rank], σ in falling order, and Vᵀ [rank, n] of W [m, n], in single precision.</summary>
    /// <exception cref="ArithmeticException">W holds values that are not finite.</exception>
    public static (Tensor Left, float[] Values, Tensor Right) Of(Tensor weight, int rank)
    {
        using var scope = new TensorScope();
        Tensor w = weight.To(Device.Cpu).To(DType.Float64);
        if (!double.IsFinite(Norm(w.AsSpan<double>()))) throw new ArithmeticException("the matrix holds values that are not finite");
        bool flip = w.Shape[0] < w.Shape[1];
        Tensor tall = flip ? Ops.Contiguous(Ops.Transpose(w)) : w;
        (Tensor u, double[] values, Tensor v) = Tall(tall, rank);
        Tensor left = scope.Keep(Rounded(flip ? v : u));
        Tensor right = scope.Keep(Rounded(Ops.Contiguous(Ops.Transpose(flip ? u : v))));
        return (left, Array.ConvertAll(values, value => (float)value), right);
    }

    private static Tensor Rounded(Tensor x) => x.To(DType.Float32);

    /// <summary>For M [m, n] with m ≥ n: the Krylov space of MᵀM, of at most n dimensions, where it is exact.</summary>
    private static (Tensor U, double[] Values, Tensor V) Tall(Tensor m, int rank)
    {
        int n = m.Shape[1];
        int width = Math.Min(n, rank + Spare);
        // Rows are vectors: bases grow by rows.
        Tensor basis = Tensor.Zeros([0, n], DType.Float64);
        Tensor images = Tensor.Zeros([0, m.Shape[0]], DType.Float64);
        Tensor block = Start(width, n);
        int next = 3 * width;
        while (true)
        {
            block = Orthonormalised(block, basis, n - basis.Shape[0]);
            if (block.Shape[0] > 0)
            {
                Tensor image = Ops.Linear(block, m);
                basis = Ops.Concat(0, basis, block);
                images = Ops.Concat(0, images, image);
                block = Ops.MatMul(image, m);
            }

            bool complete = basis.Shape[0] == n || block.Shape[0] == 0;
            if (!complete && basis.Shape[0] < next) continue;
            next = basis.Shape[0] * 3 / 2;
            (Tensor u, double[] values, Tensor v, double residual) = Ritz(m, basis, images, rank);
            if (complete || residual <= Tolerance * values[0]) return (Ops.Contiguous(Ops.Transpose(u)), values, Ops.Contiguous(Ops.Transpose(v)));
        }
    }

    private static Tensor Start(int count, int length)
    {
        Tensor block = Tensor.Empty([count, length], DType.Float64);
        new Philox(0x5356_4400, 0).FillNormal(block.AsSpan<double>(), 0, 1);
        return block;
    }

    /// <summary>
    /// The part of a block's rows outside the basis, orthonormal; rows of which nothing is left are replaced by random ones, so that the iteration only ends
    /// when the whole space is spanned. Repeated until no row loses more than half of its length, which leaves rounding errors only.
    /// </summary>
    private static Tensor Orthonormalised(Tensor block, Tensor basis, int room)
    {
        block = Ops.Contiguous(Ops.Slice(block, 0, 0, Math.Min(block.Shape[0], room))).Clone();
        ulong spares = (ulong)basis.Shape[0] << 20;
        int length = block.Shape[1];
        for (bool isSettled = false; !isSettled;)
        {
            Span<double> rows = block.AsSpan<double>();
            for (int i = 0; i < rows.Length; i += length) Scale(rows.Slice(i, length), ref spares);
            if (basis.Shape[0] > 0) block = Ops.Subtract(block, Ops.MatMul(Ops.Linear(block, basis), basis));
            rows = block.AsSpan<double>();
            isSettled = true;
            for (int i = 0; i < rows.Length; i += length)
            {
                Span<double> row = rows.Slice(i, length);
                for (int earlier = 0; earlier < i; earlier += length) Subtract(row, rows.Slice(earlier, length));
                double left = Norm(row);
                isSettled &= left > 0.5;
                if (left <= 1e-10) row.Clear();
                Scale(row, ref spares);
            }
        }

        return block;
    }

    /// <summary>Makes a vector's length 1; a zero vector becomes a random one.</summary>
    private static void Scale(Span<double> vector, ref ulong spares)
    {
        double norm = Norm(vector);
        if (norm == 0)
        {
            new Philox(0x5356_4401, spares++).FillNormal(vector, 0, 1);
            norm = Norm(vector);
        }

        System.Numerics.Tensors.TensorPrimitives.Divide(vector, norm, vector);
    }

    private static void Subtract(Span<double> vector, ReadOnlySpan<double> unit)
    {
        double along = System.Numerics.Tensors.TensorPrimitives.Dot(vector, unit);
        System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(unit, -along, vector, vector);
    }

    private static double Norm(ReadOnlySpan<double> vector) => System.Numerics.Tensors.TensorPrimitives.Norm(vector);

    /// <summary>The best singular triplets within the basis, vectors as rows, and the largest ‖Mᵀu − σv‖.</summary>
    private static (Tensor U, double[] Values, Tensor V, double Residual) Ritz(Tensor m, Tensor basis, Tensor images, int rank)
    {
        (double[] squares, double[][] vectors) = SymmetricEigen.Of(Ops.Linear(images, images).ToArray<double>(), images.Shape[0], rank);
        Tensor mixing = Tensor.From([.. vectors.SelectMany(vector => vector)], [rank, images.Shape[0]]);
        double[] values = [.. squares.Take(rank).Select(square => Math.Sqrt(Math.Max(square, 0)))];
        Tensor v = Ops.MatMul(mixing, basis);
        Tensor u = Ops.MatMul(mixing, images);
        Span<double> elements = u.AsSpan<double>();
        int length = u.Shape[1];
        for (int i = 0; i < rank; i++) Unit(elements.Slice(i * length, length), elements[..(i * length)]);
        double[] back = Ops.MatMul(u, m).ToArray<double>();
        double[] right = v.ToArray<double>();
        double residual = 0;
        for (int i = 0; i < rank; i++)
        {
            double sum = 0;
            for (int j = i * v.Shape[1]; j < (i + 1) * v.Shape[1]; j++) sum += Math.Pow(back[j] - (values[i] * right[j]), 2);
            residual = Math.Max(residual, Math.Sqrt(sum));
        }

        return (u, values, v, residual);
    }

    /// <summary>
    /// M v made a unit vector, outside the others. Where σ is 0, or so small that rounding is all there is of M v, any such vector will do.
    /// </summary>
    private static void Unit(Span<double> vector, ReadOnlySpan<double> others)
    {
        double before = Norm(vector);
        if (before > 0 && Outside(vector, others) > 0.5 * before) return;
        for (int axis = 0; axis < vector.Length; axis++)
        {
            vector.Clear();
            vector[axis] = 1;
            if (Outside(vector, others) > 0.1 / Math.Sqrt(vector.Length)) return;
        }
    }

    /// <summary>Takes the others out of a vector, makes what is left a unit vector, and returns its length before.</summary>
    private static double Outside(Span<double> vector, ReadOnlySpan<double> others)
    {
        for (int pass = 0; pass < 2; pass++)
        {
            for (int i = 0; i < others.Length; i += vector.Length) Subtract(vector, others.Slice(i, vector.Length));
        }

        double norm = Norm(vector);
        for (int j = 0; j < vector.Length && norm > 0; j++) vector[j] /= norm;
        return norm;
    }
}
