using LoRA2.Native.Cuda.Tests.Emulation;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Cuda.Tests.Products;

/// <summary>Matrix products against the same in double precision, on the interpreter.</summary>
public sealed class MatMulTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 3, 5)]
    [InlineData(17, 19, 23)]
    [InlineData(63, 18, 31)]
    [InlineData(65, 66, 67)]
    [InlineData(70, 64, 96)]
    [InlineData(131, 72, 40)]
    [InlineData(40, 264, 33)]
    [InlineData(5, 0, 3)]
    [InlineData(0, 5, 3)]
    [InlineData(20, 24, 0)]
    public void AgreesWithDoublePrecision(int m, int n, int k)
    {
        foreach (Precision precision in Enum.GetValues<Precision>())
        {
            foreach ((bool transposeA, bool transposeB) in new[] { (false, false), (false, true), (true, false), (true, true) })
            {
                Check(new Product(m, n, k, transposeA, transposeB, precision));
                Check(new Product(m, n, k, transposeA, transposeB, precision) { Frozen = true, Alpha = 0.7, Beta = -0.3 });
            }
        }
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.BFloat16x3)]
    public void AddsEachPartOfTheEpilogueAndAllOfThem(Precision precision)
    {
        foreach ((int m, int n, int k) in new[] { (67, 72, 70), (66, 69, 64), (130, 20, 24), (34, 16, 9) })
        {
            foreach (bool transposeB in new[] { false, true })
            {
                var product = new Product(m, n, k, false, transposeB, precision) { Alpha = 0.5, Beta = 0.25 };
                Check(product with { Bias = true });
                Check(product with { Residual = true });
                Check(product with { Activated = true });
                Check(product with { Rank = 3 });
                Check(product with { Rank = 8, RightTransposed = true });
                Check(product with { Bias = true, Residual = true, Activated = true, Rank = 12, RightTransposed = transposeB, Frozen = true });
            }
        }
    }

    [Fact]
    public void LongSumsAreSplitAndAddedInOrder()
    {
        Check(new Product(65, 70, 1100, true, false, Precision.BFloat16) { Bias = true, Beta = 1, Rank = 2 });
        Check(new Product(64, 64, 520, false, true, Precision.Float32) { Activated = true });
        Check(new Product(70, 8, 300, true, false, Precision.Float32) { Alpha = 2 });
        Check(new Product(8, 130, 300, true, false, Precision.Float32));
        Check(new Product(12, 70, 1200, false, true, Precision.Float32) { Bias = true });
        Check(new Product(70, 9, 1030, false, false, Precision.Float32) { Residual = true });
    }

    [Theory]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.BFloat16x3)]
    [InlineData(Precision.BFloat16x6)]
    public void ALeftFactorComputedOnTheWayHasTheSameBits(Precision precision)
    {
        using var driver = new EmulatedDriver();
        using var device = new CudaDevice(driver, 0);
        Tensors.Devices.Kernels kernels = device.Kernels;
        foreach ((int m, int n, int k, int rank) in new[] { (1, 3, 4, 1), (67, 72, 68, 8), (70, 20, 1060, 3), (33, 65, 96, 13), (34, 9, 31, 2), (5, 7, 8, 20), (40, 8, 64, 16) })
        {
            foreach ((bool transposeB, bool downTransposed) in new[] { (true, false), (false, true) })
            {
                using var scope = new TensorScope();
                Tensor a = Product.Draw(1, m, k).To(device), b = Product.Draw(2, transposeB ? n : k, transposeB ? k : n).To(device), right = Product.Draw(3, rank, n).To(device);
                Tensor down = Product.Draw(4, downTransposed ? rank : k, downTransposed ? k : rank).To(device);
                Tensor left = Tensor.Empty([m, rank], DType.Float32, device), expected = Tensor.Empty([m, n], DType.Float32, device);
                kernels.MatMul(a, false, down, downTransposed, left);
                kernels.MatMul(a, false, b, transposeB, expected, epilogue: new Epilogue(null, left, right, 0.3), precision: precision);
                Tensor leftToo = Tensor.Empty([m, rank], DType.Float32, device), actual = Tensor.Empty([m, n], DType.Float32, device);
                kernels.MatMul(a, false, b, transposeB, actual, epilogue: new Epilogue(null, leftToo, right, 0.3, Down: down, DownTransposed: downTransposed), precision: precision);
                Assert.Equal(left.ToArray<float>(), leftToo.ToArray<float>());
                Assert.Equal(expected.ToArray<float>(), actual.ToArray<float>());
                // Whether the product itself counts or not.
                kernels.Fill(leftToo, 0);
                kernels.MatMul(a, false, b, transposeB, actual, alpha: 0, epilogue: new Epilogue(null, leftToo, right, 0.3, Down: down, DownTransposed: downTransposed), precision: precision);
                Assert.Equal(left.ToArray<float>(), leftToo.ToArray<float>());
            }
        }
    }

    [Theory]
    [InlineData(256, 256, false)]
    [InlineData(512, 256, false)]
    [InlineData(256, 260, true)]
    [InlineData(130, 256, true)]
    public void WeightsInBFloat16AreReadWhereTheyAreIfTheyAreWholeTiles(int rows, int columns, bool copied)
    {
        using var driver = new EmulatedDriver();
        using var device = new CudaDevice(driver, 0);
        using var scope = new TensorScope();
        foreach (bool transposed in new[] { true, false })
        {
            (int m, int n, int k) = (70, transposed ? rows : columns, transposed ? columns : rows);
            Tensor rounded = Product.Draw(2, rows, columns).To(DType.BFloat16), a = Product.Draw(1, m, k).To(device);
            Tensor weight = rounded.To(device), same = rounded.To(DType.Float32).To(device);
            Tensor expected = Tensor.Empty([m, n], DType.Float32, device), actual = Tensor.Empty([m, n], DType.Float32, device);
            weight.Freeze();
            same.Freeze();
            device.Kernels.MatMul(a, false, same, transposed, expected, precision: Precision.BFloat16);
            long before = device.Memory.BytesInUse;
            device.Kernels.MatMul(a, false, weight, transposed, actual, precision: Precision.BFloat16);
            Assert.Equal(copied, device.Memory.BytesInUse > before);
            Assert.Equal(expected.ToArray<float>(), actual.ToArray<float>());
        }
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(128, 128)]
    [InlineData(128, 256)]
    public void EveryTileGivesTheSameBits(int rows, int columns)
    {
        using var driver = new EmulatedDriver();
        using var device = new CudaDevice(driver, 0);
        foreach (bool transposeB in new[] { false, true })
        {
            var product = new Product(200, 300, 70, false, transposeB, Precision.BFloat16) { Rank = 4, Bias = true };
            float[] expected = product.Run(device, null), actual = product.Run(device, (rows, columns));
            Assert.Equal(expected, actual);
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void BatchesOfMatrices(bool transposeA, bool transposeB)
    {
        using var driver = new EmulatedDriver();
        using var device = new CudaDevice(driver, 0);
        foreach ((int batch, int m, int n, int k) in new[] { (1, 1, 1, 1), (3, 5, 7, 11), (2, 65, 3, 17), (4, 16, 20, 0), (0, 3, 3, 3) })
        {
            using var scope = new TensorScope();
            Tensor a = Product.Draw(1, batch, transposeA ? k : m, transposeA ? m : k), b = Product.Draw(2, batch, transposeB ? n : k, transposeB ? k : n);
            Tensor expected = Tensor.Empty([batch, m, n]);
            Device.Cpu.Kernels.BatchedMatMul(a, transposeA, b, transposeB, expected);
            Tensor actual = Tensor.Empty([batch, m, n], DType.Float32, device);
            device.Kernels.BatchedMatMul(a.To(device), transposeA, b.To(device), transposeB, actual);
            float[] e = expected.ToArray<float>(), c = actual.ToArray<float>();
            for (int i = 0; i < e.Length; i++) Assert.Equal(e[i], c[i], 1e-5f);
        }
    }

    private static void Check(Product product)
    {
        using var driver = new EmulatedDriver();
        using var device = new CudaDevice(driver, 0);
        product.Check(device);
    }
}
