namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>Which op of ours each of PyTorch's is, with its arguments.</summary>
internal static class OpTable
{
    /// <summary>By the name in index.json.</summary>
    public static IReadOnlyDictionary<string, Func<OpCall, Tensor[]>> All { get; } = new Dictionary<string, Func<OpCall, Tensor[]>>(
        [.. PointwiseOps.All, .. ReductionOps.All, .. ShapeOps.All, .. IndexingOps.All, .. ProductOps.All, .. LayerOps.All, .. LossOps.All]);
}
