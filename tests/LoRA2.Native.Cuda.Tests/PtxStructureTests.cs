using System.Text.RegularExpressions;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Cuda.Tests;

/// <summary>What the compiled kernels must and must not have in them.</summary>
public sealed partial class PtxStructureTests
{
    public static TheoryData<string> Kernels => [.. LibraryPtx.Names];

    /// <summary>Kernels that move most of their bytes in accesses of 16.</summary>
    public static TheoryData<string> InFours =>
    [
        "Elementwise.Add", "Elementwise.Subtract", "Elementwise.Multiply", "Elementwise.Scale", "Elementwise.AddScaled", "Elementwise.Copy", "Activations.Gelu", "Activations.GeluBackward",
        "Activations.Tanh", "Activations.TanhBackward", "Activations.Relu", "Activations.ReluBackward", "Broadcasts.AddRowFours", "Broadcasts.ScaleBy", "Copies.Fours", "Dropout.Apply",
        "Attention.ForwardRounded", "AttentionGradient.QueryRounded", "AttentionGradient.KeyRounded", "Embedding.GatherFours", "LayerNorm.Warp", "LayerNorm.AddWarp", "LayerNormGradient.Warp", "Optimiser.AdamW", "Softmax.Warp", "Softmax.BackwardWarp",
    ];

    [Theory]
    [MemberData(nameof(Kernels))]
    public void NothingLiesInLocalMemoryOrIsReachedGenerically(string kernel)
    {
        string ptx = LibraryPtx.Of(kernel);
        Assert.DoesNotMatch(LocalMemory(), ptx);
        Assert.DoesNotMatch(GenericAccess(), ptx);
        Assert.DoesNotMatch(Call(), ptx);
        Assert.DoesNotContain("bra.uni", ptx, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(InFours))]
    public void ReadsAndWritesInFours(string kernel)
    {
        string ptx = LibraryPtx.Of(kernel);
        Assert.Contains("ld.global.v4.f32", ptx, StringComparison.Ordinal);
        Assert.Contains("st.global.v4.f32", ptx, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\.local\b")]
    private static partial Regex LocalMemory();

    [GeneratedRegex(@"^\s*(ld|st)\.[bsuf]\d+\s", RegexOptions.Multiline)]
    private static partial Regex GenericAccess();

    [GeneratedRegex(@"^\s*call", RegexOptions.Multiline)]
    private static partial Regex Call();
}
