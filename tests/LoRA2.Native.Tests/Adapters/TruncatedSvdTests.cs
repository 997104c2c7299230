using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>The truncated singular value decomposition that LoRA-XS starts from. Vectors have no fixed sign, so products are compared.</summary>
public sealed class TruncatedSvdTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 1, 1)]
    [InlineData(1, 13, 1)]
    [InlineData(13, 17, 5)]
    [InlineData(40, 23, 23)]
    [InlineData(64, 128, 8)]
    [InlineData(200, 150, 25)]
    public void ItIsTheBestApproximation(int rows, int columns, int rank)
    {
        using var scope = new TensorScope();
        Tensor w = Random(rows, columns, 1);
        (Tensor u, float[] values, Tensor v) = TruncatedSvd.Of(w, rank);
        // All eigenvalues of the smaller Gram matrix, by another way.
        Tensor exact = w.To(DType.Float64);
        Tensor gram = rows < columns ? Ops.Linear(exact, exact) : Ops.MatMul(Ops.Contiguous(Ops.Transpose(exact)), exact);
        double[] squares = SymmetricEigen.Of(gram.ToArray<double>(), gram.Shape[0], 0).Values;
        for (int i = 0; i < rank; i++) Assert.Equal(Math.Sqrt(Math.Max(squares[i], 0)), values[i], 2e-6 * values[0]);
        RequireOrthonormal(v, 1e-5);
        RequireOrthonormal(Ops.Contiguous(Ops.Transpose(u)), 1e-5);
        Tensor rest = Ops.Subtract(w, Ops.MatMul(u, Ops.Multiply(v, Tensor.From(values, [rank, 1]))));
        Assert.Equal(squares.Skip(rank).Sum(square => Math.Max(square, 0)), Ops.Sum(Ops.Multiply(rest, rest)).Item(), 1e-4 * squares.Sum());
    }

    [Fact]
    public void RepeatedAndZeroSingularValuesAreFound()
    {
        using var scope = new TensorScope();
        float[] identity = new float[60 * 60];
        for (int i = 0; i < 60; i++) identity[i * 61] = 2;
        (Tensor u, float[] values, Tensor v) = TruncatedSvd.Of(Tensor.From(identity, [60, 60]), 30);
        Assert.All(values, value => Assert.Equal(2, value, 1e-6));
        RequireOrthonormal(v, 1e-6);
        RequireOrthonormal(Ops.Contiguous(Ops.Transpose(u)), 1e-6);

        // Rank 2 only, and more asked for.
        Tensor thin = Ops.MatMul(Random(30, 2, 2), Random(2, 20, 3));
        (u, values, v) = TruncatedSvd.Of(thin, 5);
        Assert.All(values[2..], value => Assert.Equal(0, value, 1e-5 * values[0]));
        RequireOrthonormal(v, 1e-5);
        RequireOrthonormal(Ops.Contiguous(Ops.Transpose(u)), 1e-5);
        Assert.All(Ops.Subtract(thin, Ops.MatMul(u, Ops.Multiply(v, Tensor.From(values, [5, 1])))).ToArray<float>(), value => Assert.Equal(0, value, 1e-4));

        (u, values, v) = TruncatedSvd.Of(Tensor.Zeros([9, 5]), 2);
        Assert.All(values, value => Assert.Equal(0, value));
        RequireOrthonormal(v, 1e-6);
        RequireOrthonormal(Ops.Contiguous(Ops.Transpose(u)), 1e-6);
    }

    [Fact]
    public void ItIsTheSameEveryTimeAndForAnyNumberOfThreads()
    {
        using var scope = new TensorScope();
        Tensor w = Random(70, 90, 4);
        int threads = Compute.Threads;
        (Tensor u, float[] values, Tensor v) = TruncatedSvd.Of(w, 6);
        try
        {
            Compute.Threads = threads == 1 ? 3 : 1;
            (Tensor otherU, float[] otherValues, Tensor otherV) = TruncatedSvd.Of(w, 6);
            Assert.Equal(u.ToArray<float>(), otherU.ToArray<float>());
            Assert.Equal(values, otherValues);
            Assert.Equal(v.ToArray<float>(), otherV.ToArray<float>());
        }
        finally
        {
            Compute.Threads = threads;
        }
    }

    /// <summary>A Aᵀ = Σ_r², Bᵀ B = I, and A and B stay as they are in training.</summary>
    [Fact]
    public void LoRAXSStartsFromIt()
    {
        using var small = new SmallModel(1, 24, 32);
        var method = new LoRAXSMethod { Rank = 5 };
        small.Model.Attach(new AdapterSettings { Method = method }, 1);
        foreach (LinearLayer layer in small.Model.AdaptableLayers.Where(layer => layer.Adapter is not null))
        {
            using var scope = new TensorScope();
            var adapter = (LoRAXSAdapter)layer.Adapter!;
            float[] values = TruncatedSvd.Of(layer.Weight.Value, 5).Values;
            float[] gram = Ops.Linear(adapter.A, adapter.A).ToArray<float>();
            for (int i = 0; i < 25; i++) Assert.Equal(i % 6 == 0 ? values[i / 6] * values[i / 6] : 0, gram[i], 1e-4 * values[0] * values[0]);
            RequireOrthonormal(Ops.Contiguous(Ops.Transpose(adapter.B)), 1e-5);
            Assert.False(adapter.A.RequiresGrad);
            Assert.Equal(25, adapter.ParameterCount);
            Assert.Equal(1e-5, Math.Sqrt(adapter.Parameters[0].Value.ToArray<float>().Average(value => (double)value * value)), 6e-6);
        }

        using var tooMuch = new SmallModel();
        Assert.Contains("is above 16", Assert.Throws<InputException>(() => tooMuch.Model.Attach(new AdapterSettings { Method = new LoRAXSMethod { Rank = 17 } }, 1)).Message, StringComparison.Ordinal);
    }

    private static Tensor Random(int rows, int columns, ulong seed)
    {
        Tensor w = Tensor.Empty([rows, columns]);
        new Philox(seed).FillNormal(w.AsSpan<float>(), 0, 1);
        return w;
    }

    private static void RequireOrthonormal(Tensor rows, double tolerance)
    {
        float[] gram = Ops.Linear(rows, rows).ToArray<float>();
        int n = rows.Shape[0];
        for (int i = 0; i < gram.Length; i++) Assert.Equal(i % (n + 1) == 0 ? 1 : 0, gram[i], tolerance);
    }
}
