using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Embeddings.Losses;

/// <summary>
/// Contrastive loss over the hard pairs of a batch alone, summed, without the half: of those marked 1 the ones further apart than the nearest marked 0, of those marked 0 the ones nearer
/// than the furthest marked 1 (sentence-transformers' OnlineContrastiveLoss; the mean takes the extreme's place where there is one such pair).
/// </summary>
public sealed record OnlineContrastiveLoss : EmbeddingLoss
{
    /// <inheritdoc/>
    public override string Name => "online-contrastive";

    /// <summary>How far apart is enough.</summary>
    public double Margin { get; init; } = 0.5;

    /// <inheritdoc/>
    public override bool NeedsScores => true;

    /// <inheritdoc/>
    public override bool IsBinary => true;

    /// <inheritdoc/>
    public override bool ReadsValues => true;

    /// <inheritdoc/>
    public override Tensor Of(IReadOnlyList<Tensor> texts, Tensor targets)
    {
        Tensor distance = CosineDistance(texts[0], texts[1]);
        (Tensor alike, Tensor apart) = Hard(distance, targets);
        Tensor missing = Ops.Relu(Plus(Ops.Scale(distance, -1), Margin));
        return Ops.Sum(Ops.Add(Ops.Multiply(alike, Ops.Multiply(distance, distance)), Ops.Multiply(apart, Ops.Multiply(missing, missing))));
    }

    /// <summary>1 for the hard pairs of each kind, else 0: [examples] each.</summary>
    private static (Tensor Alike, Tensor Apart) Hard(Tensor distance, Tensor targets)
    {
        double[] d = Doubles(distance), y = Doubles(targets);
        double[] near = [.. d.Where((_, i) => y[i] == 1)], far = [.. d.Where((_, i) => y[i] == 0)];
        double furthest = near.Length > 1 ? near.Max() : far.DefaultIfEmpty(0).Average(), nearest = far.Length > 1 ? far.Min() : near.DefaultIfEmpty(0).Average();
        Tensor Marked(Func<int, bool> isHard) =>
            Tensor.From([.. Enumerable.Range(0, d.Length).Select(i => isHard(i) ? 1f : 0)], [d.Length]).To(distance.DType).To(distance.Device);
        return (Marked(i => y[i] == 1 && d[i] > nearest), Marked(i => y[i] == 0 && d[i] < furthest));
    }

    private static double[] Doubles(Tensor x)
    {
        x = x.To(Device.Cpu);
        return x.DType == DType.Float64 ? x.ToArray<double>() : Array.ConvertAll(x.ToArray<float>(), value => (double)value);
    }
}
