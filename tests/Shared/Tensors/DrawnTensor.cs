using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Checks;

namespace LoRA2.Native.Tests.Shared.Tensors;

/// <summary>How a drawn tensor lies in memory.</summary>
public enum DrawnLayout
{
    /// <summary>One element after the other.</summary>
    Contiguous,

    /// <summary>A view with its axes in the opposite order to that in which they are stored.</summary>
    Permuted,

    /// <summary>A view of part of a larger tensor, along its last axis.</summary>
    PartOfRows,
}

/// <summary>What a tensor is made from: immutable, so that it can be printed and shrunk.</summary>
public sealed record DrawnTensor(Shape Shape, DType DType, DrawnLayout Layout, int Seed)
{
    /// <summary>The values, in order of the axes.</summary>
    internal double[] Values => Contiguous().To(DType.Float64).ToArray<double>();

    /// <summary>The tensor, in the current scope.</summary>
    public Tensor Make() => Shape.Rank == 0 ? Contiguous() : Layout switch
    {
        DrawnLayout.Permuted => Ops.Permute(Ops.Permute(Contiguous(), Opposite).Clone(), Opposite),
        DrawnLayout.PartOfRows => Ops.Slice(Ops.Concat(Shape.Rank - 1, Border(2), Contiguous(), Border(1)), Shape.Rank - 1, 2, Shape.Columns),
        _ => Contiguous(),
    };

    private int[] Opposite => [.. Enumerable.Range(0, Shape.Rank).Reverse()];

    private Tensor Contiguous() => new CaseSource(Seed).Values(Shape, requiresGrad: false).To(DType);

    private Tensor Border(int columns) => Tensor.Full(Shape.With(Shape.Rank - 1, columns), 77, DType);
}
