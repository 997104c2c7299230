using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>The operands of one product of blocks, C = Alpha · A·B + Beta · C. Steps are in elements.</summary>
internal unsafe struct BlockOperands<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Element (i, p) is at i · <see cref="RowStep"/> + p · <see cref="DepthStep"/>; one of the steps is 1.</summary>
    public T* A;
    public nint RowStep;
    public nint DepthStep;

    /// <summary>Alpha · A packed in bfloat16 tiles before, or null.</summary>
    public byte* PackedA;

    public RightOperand<T> B;

    /// <summary>Rows have room for whole vectors, except for tiles.</summary>
    public T* C;
    public nint CStep;

    public T Alpha;
    public T Beta;
}
