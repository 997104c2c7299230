namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>Losses and what they are made of.</summary>
internal static class LossOps
{
    public static Dictionary<string, Func<OpCall, Tensor[]>> All { get; } = new()
    {
        ["cross_entropy"] = c => [Ops.CrossEntropy(c.X(0), c.X(1), Reduction(c), c.Maybe(2, "weight"), c.Int(-1, "ignore_index", -100), c.Number(-1, "label_smoothing", 0))],
        ["nll_loss"] = c => [Ops.NegativeLogLikelihood(c.X(0), c.X(1), Reduction(c), c.Maybe(2, "weight"), c.Int(-1, "ignore_index", -100))],
        ["binary_cross_entropy_with_logits"] = c => [Ops.BinaryCrossEntropyWithLogits(c.X(0), c.X(1), Reduction(c), c.Maybe(2, "weight"), c.Maybe(-1, "pos_weight"))],
        ["mse_loss"] = c => [Ops.MeanSquaredError(c.X(0), c.X(1), Reduction(c))],
        ["l1_loss"] = c => [Ops.L1Loss(c.X(0), c.X(1), Reduction(c))],
        ["smooth_l1_loss"] = c => [Ops.SmoothL1Loss(c.X(0), c.X(1), Reduction(c), c.Number(-1, "beta", 1))],
        ["huber_loss"] = c => [Ops.HuberLoss(c.X(0), c.X(1), Reduction(c), c.Number(-1, "delta", 1))],
        ["kl_div"] = KullbackLeibler,
        ["cosine_similarity"] = c => [Ops.CosineSimilarity(c.X(0), c.X(1), c.Int(2, "dim", 1), c.Number(3, "eps", 1e-8))],
        ["cosine_embedding_loss"] = c => [Ops.CosineEmbeddingLoss(c.X(0), c.X(1), c.X(2), c.Number(3, "margin", 0), Reduction(c))],
        ["triplet_margin_loss"] = c => [Ops.TripletMarginLoss(c.X(0), c.X(1), c.X(2), c.Number(3, "margin", 1), c.Number(4, "p", 2), c.Number(5, "eps", 1e-6), c.Flag(6, "swap"), Reduction(c))],
        ["margin_ranking_loss"] = c => [Ops.MarginRankingLoss(c.X(0), c.X(1), c.X(2), c.Number(3, "margin", 0), Reduction(c))],
        ["normalize"] = c => [Ops.Normalize(c.X(), c.Number(1, "p", 2), c.Int(2, "dim", 1), c.Number(3, "eps", 1e-12))],
    };

    private static LossReduction Reduction(OpCall c) => c.Text(-1, "reduction") switch
    {
        null or "mean" => LossReduction.Mean,
        "sum" => LossReduction.Sum,
        _ => LossReduction.None,
    };

    private static Tensor[] KullbackLeibler(OpCall c)
    {
        bool logTarget = c.Flag(-1, "log_target");
        if (c.Text(-1, "reduction") != "batchmean") return [Ops.KullbackLeibler(c.X(0), c.X(1), Reduction(c), logTarget)];
        return [Ops.Divide(Ops.KullbackLeibler(c.X(0), c.X(1), LossReduction.Sum, logTarget), c.X(0).Shape[0])];
    }
}
