using System.Text.Json;

namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>Layers of networks.</summary>
internal static class LayerOps
{
    public static Dictionary<string, Func<OpCall, Tensor[]>> All { get; } = new()
    {
        ["embedding"] = c => [Ops.Embedding(c.X(1), c.X(0), c.Flag(-1, "scale_grad_by_freq"), c.Find(2, "padding_idx") is null ? null : c.Int(2, "padding_idx", 0))],
        ["layer_norm"] = c => [Ops.LayerNorm(c.X(), new Shape(c.Ints(1, "normalized_shape")!), c.Maybe(2, "weight"), c.Maybe(3, "bias"), c.Number(4, "eps", 1e-5))],
        ["rms_norm"] = c => [Ops.RmsNorm(c.X(), c.Maybe(1, "weight"), c.Number(2, "eps", 1e-6))],
        ["group_norm"] = c => [Ops.GroupNorm(c.X(), c.Int(1, "num_groups", 1), c.Maybe(2, "weight"), c.Maybe(3, "bias"), c.Number(4, "eps", 1e-5))],
        ["batch_norm"] = BatchNorm,
        ["conv1d"] = c => [Ops.Conv1d(c.X(0), c.X(1), c.Maybe(2, "bias"), Steps(c), c.Int(6, "groups", 1))],
        ["conv2d"] = c => [Ops.Conv2d(c.X(0), c.X(1), c.Maybe(2, "bias"), Steps(c), c.Int(6, "groups", 1))],
        ["conv_transpose1d"] = c => [Ops.ConvTranspose1d(c.X(0), c.X(1), c.Maybe(2, "bias"), new ConvolutionSteps { Stride = c.Ints(3, "stride"), Padding = c.Ints(4, "padding"), Dilation = c.Ints(7, "dilation") },
            c.Ints(5, "output_padding")?[0] ?? 0, c.Int(6, "groups", 1))],
        ["max_pool1d"] = c => MaxPool(c, Ops.MaxPool1d),
        ["max_pool2d"] = c => MaxPool(c, Ops.MaxPool2d),
        ["avg_pool1d"] = c => [Ops.AvgPool1d(c.X(), Windows(c, ceil: 4), c.Flag(5, "count_include_pad", true))],
        ["avg_pool2d"] = c => [Ops.AvgPool2d(c.X(), Windows(c, ceil: 4), c.Flag(5, "count_include_pad", true), c.Find(6, "divisor_override") is null ? null : c.Int(6, "divisor_override", 1))],
        ["adaptive_avg_pool1d"] = c => [Ops.AdaptiveAvgPool1d(c.X(), c.Ints(1, "output_size")![0])],
        ["adaptive_avg_pool2d"] = c => [AdaptivePool(c)],
        ["attention"] = c => [Ops.ScaledDotProductAttention(c.X(0), c.X(1), c.X(2), c.Maybe(3, "mask"), c.Flag(4, "causal")).Values],
        ["scaled_dot_product_attention"] = c => Ops.ScaledDotProductAttention(c.X(0), c.X(1), c.X(2), c.Maybe(3, "attn_mask"), c.Flag(6, "is_causal")) is var (y, p) ? [y, p] : [],
        ["interpolate_nearest"] = c => [Interpolate(c, linear: false)],
        ["interpolate_bilinear"] = c => [Interpolate(c, linear: true)],
        ["lstm"] = Lstm,
        ["gru"] = Gru,
    };

    private static Tensor[] BatchNorm(OpCall c)
    {
        // The running statistics change in place, and the inputs of a sample must not.
        (Tensor? mean, Tensor? variance) = (c.Maybe(1, "running_mean")?.Clone(), c.Maybe(2, "running_var")?.Clone());
        Tensor y = Ops.BatchNorm(c.X(), mean, variance, c.Maybe(3, "weight"), c.Maybe(4, "bias"), c.Flag(5, "training"), c.Number(6, "momentum", 0.1), c.Number(7, "eps", 1e-5));
        return mean is null ? [y] : [y, mean, variance!];
    }

    private static ConvolutionSteps Steps(OpCall c)
    {
        string? named = c.Text(4, "padding");
        return new ConvolutionSteps { Stride = c.Ints(3, "stride"), Padding = named is null ? c.Ints(4, "padding") : null, Dilation = c.Ints(5, "dilation"), SamePadding = named == "same" };
    }

    private static PoolWindows Windows(OpCall c, int ceil, int dilation = -1) => new(c.Ints(1, "kernel_size")!)
    {
        Stride = c.Ints(2, "stride"),
        Padding = c.Ints(3, "padding"),
        Dilation = dilation < 0 ? null : c.Ints(dilation, "dilation"),
        CeilMode = c.Flag(ceil, "ceil_mode"),
    };

    private static Tensor[] MaxPool(OpCall c, Func<Tensor, PoolWindows, (Tensor, Tensor)> op)
    {
        (Tensor values, Tensor indices) = op(c.X(), Windows(c, ceil: 5, dilation: 4));
        return c.Flag(6, "return_indices") ? [values, indices] : [values];
    }

    private static Tensor AdaptivePool(OpCall c)
    {
        Shape shape = c.X().Shape;
        JsonElement size = c.Find(1, "output_size")!.Value;
        int Of(int i, int otherwise) => size.ValueKind == JsonValueKind.Number ? size.GetInt32() : size[size.GetArrayLength() == 1 ? 0 : i].ValueKind == JsonValueKind.Null ? otherwise : size[size.GetArrayLength() == 1 ? 0 : i].GetInt32();
        return Ops.AdaptiveAvgPool2d(c.X(), Of(0, shape[^2]), Of(1, shape[^1]));
    }

    private static Tensor Interpolate(OpCall c, bool linear)
    {
        Tensor x = c.X();
        int axes = x.Shape.Rank - 2;
        int[] sizes;
        double[] factors = [];
        if (c.Ints(1, "size") is { } given) sizes = given.Length == axes ? given : [.. Enumerable.Repeat(given[0], axes)];
        else
        {
            JsonElement scale = c.Find(2, "scale_factor")!.Value;
            double[] numbers = scale.ValueKind == JsonValueKind.Array ? [.. scale.EnumerateArray().Select(number => number.GetDouble())] : [scale.GetDouble()];
            factors = numbers.Length == axes ? numbers : [.. Enumerable.Repeat(numbers[0], axes)];
            sizes = [.. factors.Select((factor, i) => (int)Math.Floor(x.Shape[2 + i] * factor))];
        }

        return linear ? Ops.InterpolateLinear(x, sizes, c.Flag(4, "align_corners"), factors) : Ops.InterpolateNearest(x, sizes, factors);
    }

    private static RecurrentWeights[] Weights(OpCall c)
    {
        bool biases = c.Flag(3, "");
        return [.. c.List(2).Chunk(biases ? 4 : 2).Select(w => biases ? new RecurrentWeights(w[0], w[1], w[2], w[3]) : new RecurrentWeights(w[0], w[1]))];
    }

    private static Tensor[] Lstm(OpCall c)
    {
        Tensor[] states = c.List(1);
        (Tensor y, Tensor h, Tensor s) = Ops.Lstm(c.X(), states[0], states[1], Weights(c), c.Flag(7, ""), c.Flag(8, ""));
        return [y, h, s];
    }

    private static Tensor[] Gru(OpCall c)
    {
        (Tensor y, Tensor h) = Ops.Gru(c.X(), c.X(1), Weights(c), c.Flag(7, ""), c.Flag(8, ""));
        return [y, h];
    }
}
