using System.Text;

namespace LoRA2.Native.Cuda.Tests.Products;

/// <summary>What the products' PTX has to be made of, where no GPU can time it.</summary>
public sealed class ProductPtxTests
{
    [Fact]
    public void TilesRunOnTensorCoresThroughARingOfSharedMemory()
    {
        string[] kernels = Encoding.UTF8.GetString(PtxText.OfFamily("Gemm")).Split(".visible .entry ")[1..];
        Assert.Equal(6, kernels.Length);
        foreach (string kernel in kernels)
        {
            string loop = kernel[kernel.IndexOf("MULTIPLY:", StringComparison.Ordinal)..kernel.IndexOf("MULTIPLIED:", StringComparison.Ordinal)];
            (int tile, int warps) = kernel.StartsWith("Tile64X64", StringComparison.Ordinal) ? (64 * 64, 4) : kernel.StartsWith("Tile128X128", StringComparison.Ordinal) ? (128 * 128, 4) : (128 * 256, 8);
            Assert.Equal(2 * tile / warps / (16 * 8), Count(loop, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"));
            Assert.Equal(kernel.Split('(')[0].EndsWith('K'), loop.Contains("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16", StringComparison.Ordinal));
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
    public void NothingIsKeptInLocalMemory(string family)
    {
        string ptx = Encoding.UTF8.GetString(PtxText.OfFamily(family));
        Assert.DoesNotContain(".local", ptx, StringComparison.Ordinal);
        Assert.Contains(".v4", ptx, StringComparison.Ordinal);
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
