namespace LoRA2.Native.Cuda.Tests.Products;

/// <summary>What the products' PTX has to be made of, where no GPU can time it.</summary>
public sealed class ProductPtxTests
{
    [Fact]
    public void TilesRunOnTensorCoresThroughARingOfSharedMemory()
    {
        string[] kernels = [.. LibraryPtx.NamesOf("Gemm")];
        Assert.Equal(6, kernels.Length);
        foreach (string name in kernels)
        {
            string kernel = LibraryPtx.Of(name);
            string loop = kernel[kernel.IndexOf("MULTIPLY:", StringComparison.Ordinal)..kernel.IndexOf("MULTIPLIED:", StringComparison.Ordinal)];
            (int tile, int warps) = name.StartsWith("Gemm.Tile64X64", StringComparison.Ordinal) ? (64 * 64, 4) : name.StartsWith("Gemm.Tile128X128", StringComparison.Ordinal) ? (128 * 128, 4) : (128 * 256, 8);
            Assert.Equal(2 * tile / warps / (16 * 8), Count(loop, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"));
            Assert.Equal(name.EndsWith('K'), loop.Contains("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16", StringComparison.Ordinal));
            Assert.Contains("cp.async.cg.shared.global", loop, StringComparison.Ordinal);
            Assert.Equal(1, Count(loop, "bar.sync"));
            Assert.DoesNotContain("ld.shared", loop, StringComparison.Ordinal);
            Assert.DoesNotContain("ld.global", loop, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Gemm")]
    [InlineData("GemmPack")]
    [InlineData("GemmSingle")]
    [InlineData("GemmThin")]
    [InlineData("Attention")]
    [InlineData("AttentionGradient")]
    public void MovesDataInFours(string family)
    {
        string ptx = string.Concat(LibraryPtx.NamesOf(family).Select(LibraryPtx.Of));
        Assert.Contains(".v4", ptx, StringComparison.Ordinal);
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
