using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>A drawn matrix product. The paddings are added to the shortest possible row steps.</summary>
public sealed record GemmCase(
    bool TransA, bool TransB, bool Packed, int M, int N, int K, int PadA, int PadB, int PadC, double Alpha, double Beta,
    int Rank, bool Bias, bool RightTransposed, bool GuardStart, bool Residual, bool Activated, int Seed)
{
    /// <summary>The vectors it runs on.</summary>
    public string Vectors => Path.ToString();

    internal SimdPath Path { get; init; }

    internal int Lda => (TransA ? M : K) + PadA;

    internal int Ldb => (TransB ? K : N) + PadB;

    internal int Ldc => N + PadC;
}

/// <summary>A drawn matrix product of operands rounded to terms of bfloat16.</summary>
public sealed record BFloat16GemmCase(GemmCase Shape, Precision Precision)
{
    /// <summary>What multiplies.</summary>
    public string Unit => Path.ToString();

    internal BFloat16Path Path { get; init; }
}
