using LoRA2.Native.Cuda.Operations;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Cuda.Tests.Products;

/// <summary>One case of a matrix product.</summary>
internal sealed record Product(int M, int N, int K, bool TransposeA, bool TransposeB, Precision Precision)
{
    public double Alpha { get; init; } = 1;

    public double Beta { get; init; }

    public bool Frozen { get; init; }

    public bool Bias { get; init; }

    public bool Residual { get; init; }

    public bool Activated { get; init; }

    public int Rank { get; init; }

    public bool RightTransposed { get; init; }

    /// <summary>
    /// Error of an operand, relative: half a unit of the last of 8, 16 or 24 bits. A result's bound is that of both operands, and float32's for each term of its sum, times the sum
    /// of the terms' magnitudes.
    /// </summary>
    private double Unit => Precision switch
    {
        Precision.BFloat16 => 1.0 / 256,
        Precision.BFloat16x3 => 1.0 / 32768,
        _ => 1.0 / 4194304,
    };

    public static Tensor Draw(int seed, params int[] shape)
    {
        Tensor tensor = Tensor.Empty(new Shape(shape));
        new Philox((ulong)seed).FillNormal(tensor.AsSpan<float>(), 0, 1);
        return tensor;
    }

    public void Check(CudaDevice device)
    {
        using var scope = new TensorScope();
        Operands x = Make();
        (float[] c, float[] activated) = Run(device, x, null);
        float[] a = x.A.ToArray<float>(), b = x.B.ToArray<float>(), old = x.C.ToArray<float>();
        float[] left = x.Left?.ToArray<float>() ?? [], right = x.Right?.ToArray<float>() ?? [], bias = x.Bias?.ToArray<float>() ?? [], residual = x.Residual?.ToArray<float>() ?? [];
        for (int i = 0; i < M; i++)
        {
            for (int j = 0; j < N; j++)
            {
                double sum = 0, size = 0, low = 0, lowSize = 0;
                for (int d = 0; d < K; d++)
                {
                    double term = (double)a[TransposeA ? (d * M) + i : (i * K) + d] * b[TransposeB ? (j * K) + d : (d * N) + j];
                    (sum, size) = (sum + term, size + Math.Abs(term));
                }

                for (int d = 0; d < Rank; d++)
                {
                    double term = (double)left[(i * Rank) + d] * right[RightTransposed ? (j * Rank) + d : (d * N) + j];
                    (low, lowSize) = (low + term, lowSize + Math.Abs(term));
                }

                int at = (i * N) + j;
                double expected = (Alpha * sum) + (0.6 * low) + (Bias ? bias[j] : 0) + (Residual ? residual[at] : 0) + (Beta == 0 ? 0 : Beta * old[at]);
                double lowUnit = Math.Min(Unit, 1.0 / 32768);
                double bound = (Math.Abs(Alpha) * size * Unit) + (0.6 * lowSize * lowUnit) + (1e-6 * (4 + size));
                Assert.True(Math.Abs(c[at] - expected) <= bound, $"{this}: element {i}, {j} is {c[at]}; expected {expected} ± {bound}");
                if (Activated) Assert.Equal(Gelu(c[at]), activated[at], 1e-6 * Math.Max(1, Math.Abs(c[at])));
            }
        }
    }

    /// <summary>The result, with a tile of the caller's choice.</summary>
    public float[] Run(CudaDevice device, (int Rows, int Columns)? tile)
    {
        using var scope = new TensorScope();
        return Run(device, Make(), tile).C;
    }

    private static double Gelu(float x)
    {
        Tensor y = Tensor.Empty([1]);
        Device.Cpu.Kernels.Activate(Activation.Gelu, Tensor.From([x], [1]), y);
        return y.ToArray<float>()[0];
    }

    private (float[] C, float[] Activated) Run(CudaDevice device, Operands x, (int Rows, int Columns)? tile)
    {
        Tensor c = x.C.To(device), b = x.B.To(device);
        if (Frozen) b.Freeze();
        Tensor? activated = Activated ? Tensor.Empty(c.Shape, DType.Float32, device) : null;
        var epilogue = new Epilogue(x.Bias?.To(device), x.Left?.To(device), x.Right?.To(device), 0.6, x.Residual?.To(device), activated, Activation.Gelu, RightTransposed);
        var kernels = (CudaKernels)device.Kernels;
        kernels.ForcedTile = tile;
        kernels.MatMul(x.A.To(device), TransposeA, b, TransposeB, c, Alpha, Beta, epilogue, Precision);
        kernels.ForcedTile = null;
        float[] result = c.ToArray<float>();
        if (Frozen && Beta == 0)
        {
            kernels.MatMul(x.A.To(device), TransposeA, b, TransposeB, c, Alpha, Beta, epilogue, Precision);
            Assert.Equal(result, c.ToArray<float>());
        }

        return (result, activated?.ToArray<float>() ?? []);
    }

    private Operands Make() => new(
        Draw(1, TransposeA ? K : M, TransposeA ? M : K),
        Draw(2, TransposeB ? N : K, TransposeB ? K : N),
        Beta == 0 ? Tensor.Full([M, N], float.NaN) : Draw(3, M, N),
        Bias ? Draw(4, N) : null,
        Rank > 0 ? Draw(5, M, Rank) : null,
        Rank > 0 ? Draw(6, RightTransposed ? N : Rank, RightTransposed ? Rank : N) : null,
        Residual ? Draw(7, M, N) : null);

    private sealed record Operands(Tensor A, Tensor B, Tensor C, Tensor? Bias, Tensor? Left, Tensor? Right, Tensor? Residual);
}
