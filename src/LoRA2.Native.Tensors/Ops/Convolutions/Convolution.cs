using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <summary>How a convolution walks: numbers an axis, or one for all.</summary>
public readonly record struct ConvolutionSteps
{
    /// <summary>Distance between windows; 1 when left out.</summary>
    public IReadOnlyList<int>? Stride { get; init; }

    /// <summary>Zeros on both sides of each axis; none when left out.</summary>
    public IReadOnlyList<int>? Padding { get; init; }

    /// <summary>Distance between the positions that a window reads; 1 when left out.</summary>
    public IReadOnlyList<int>? Dilation { get; init; }

    /// <summary>Whether as many zeros are added as keep the extents at stride 1, the odd one at the end; <see cref="Padding"/> is then not read.</summary>
    public bool SamePadding { get; init; }

    internal int StrideOf(int axis) => Of(Stride, axis, 1);

    internal int PaddingOf(int axis) => Of(Padding, axis, 0);

    internal int DilationOf(int axis) => Of(Dilation, axis, 1);

    private static int Of(IReadOnlyList<int>? numbers, int axis, int otherwise) => numbers is null || numbers.Count == 0 ? otherwise : numbers[numbers.Count == 1 ? 0 : axis];
}

/// <content>Convolutions in one and two dimensions, as products of the windows with the kernels.</content>
public static partial class Ops
{
    /// <summary>
    /// The cross-correlation that networks call a convolution, in one dimension: x is [batch, in, length] or [in, length], weight [out, in / groups, size], bias [out] or null, the result [batch, out, length'].
    /// </summary>
    /// <exception cref="ArgumentException">Shapes don't fit.</exception>
    public static Tensor Conv1d(Tensor x, Tensor weight, Tensor? bias = null, ConvolutionSteps steps = default, int groups = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        RequireConvolution("Conv1d", x, weight, 1, groups);
        if (x.Shape.Rank == 2) return Squeeze(Conv1d(Unsqueeze(x, 0), weight, bias, steps, groups), 0);
        return Squeeze(Convolved(Unsqueeze(x, 2), Unsqueeze(weight, 2), bias, Above(steps), groups), 2);
    }

    /// <summary>
    /// The cross-correlation that networks call a convolution, in two dimensions: x is [batch, in, height, width] or [in, height, width], weight [out, in / groups, rows, columns], bias [out] or null, the result
    /// [batch, out, height', width'].
    /// </summary>
    /// <exception cref="ArgumentException">Shapes don't fit.</exception>
    public static Tensor Conv2d(Tensor x, Tensor weight, Tensor? bias = null, ConvolutionSteps steps = default, int groups = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        RequireConvolution("Conv2d", x, weight, 2, groups);
        return x.Shape.Rank == 3 ? Squeeze(Convolved(Unsqueeze(x, 0), weight, bias, steps, groups), 0) : Convolved(x, weight, bias, steps, groups);
    }

    /// <summary>
    /// The gradient of <see cref="Conv1d"/> with respect to its input as an op: x is [batch, in, length] or [in, length], weight [in, out / groups, size], bias [out] or null; <paramref name="outputPadding"/> more positions
    /// are computed at the end.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes don't fit.</exception>
    public static Tensor ConvTranspose1d(Tensor x, Tensor weight, Tensor? bias = null, ConvolutionSteps steps = default, int outputPadding = 0, int groups = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        if (x.Shape.Rank == 2) return Squeeze(ConvTranspose1d(Unsqueeze(x, 0), weight, bias, steps, outputPadding, groups), 0);
        if (x.Shape.Rank != 3 || weight.Shape.Rank != 3 || groups < 1 || x.Shape[1] != weight.Shape[0] || x.Shape[1] % groups != 0)
            throw new ArgumentException($"ConvTranspose1d: x {x.Shape} does not fit a weight of shape {weight.Shape} ([in, out / groups, size]) in {groups} groups");
        (int stride, int padding, int dilation) = (steps.StrideOf(0), steps.PaddingOf(0), steps.DilationOf(0));
        int size = weight.Shape[2];
        // Zeros between the positions, then a convolution with the kernel turned round.
        int spread = ((x.Shape[2] - 1) * stride) + 1;
        Tensor wide = Placed(x, x.Shape.With(2, spread), new ViewSpec(ViewKind.Slice, 2, 0, 0, x.Shape[2], stride));
        int edge = (dilation * (size - 1)) - padding;
        wide = Pad(wide, [edge, edge + outputPadding]);
        Tensor kernel = Reshape(weight, groups, weight.Shape[0] / groups, weight.Shape[1], size);
        kernel = Reshape(Transpose(Flip(kernel, 3), 1, 2), groups * weight.Shape[1], weight.Shape[0] / groups, size);
        return Conv1d(wide, kernel, bias, new ConvolutionSteps { Dilation = [dilation] }, groups);
    }

    private static ConvolutionSteps Above(ConvolutionSteps steps) => new()
    {
        Stride = [1, steps.StrideOf(0)],
        Padding = [0, steps.PaddingOf(0)],
        Dilation = [1, steps.DilationOf(0)],
        SamePadding = steps.SamePadding,
    };

    private static void RequireConvolution(string op, Tensor x, Tensor weight, int axes, int groups)
    {
        RequireSameType(op, x, weight);
        if (weight.Shape.Rank != axes + 2 || (x.Shape.Rank != axes + 2 && x.Shape.Rank != axes + 1) || groups < 1 || x.Shape[^(axes + 1)] != weight.Shape[1] * groups || weight.Shape[0] % groups != 0)
            throw new ArgumentException($"{op}: x {x.Shape} does not fit a weight of shape {weight.Shape} ([out, in / groups, …]) in {groups} groups");
    }

    private static Tensor Convolved(Tensor x, Tensor weight, Tensor? bias, ConvolutionSteps steps, int groups)
    {
        RequireSameType("Conv", x, bias);
        int outputs = weight.Shape[0];
        if (bias is not null && bias.Shape != [outputs]) throw new ArgumentException($"Conv: a bias of shape {bias.Shape} does not fit a weight of shape {weight.Shape}");
        var windows = new WindowPlan(AxisOf(x, weight, steps, 0), AxisOf(x, weight, steps, 1));
        (x, weight, bias) = (Contiguous(x), Contiguous(weight), bias is null ? null : Contiguous(bias));
        if (!x.Device.Kernels.Convolves)
        {
            Tensor product = Reshape(MatMul(GroupedWeight(weight, groups), WindowMatrices(x, windows, groups)), x.Shape[0], outputs, windows.Down.Count, windows.Across.Count);
            return bias is null ? product : Add(product, Reshape(bias, outputs, 1, 1));
        }

        Tensor y = Tensor.Empty([x.Shape[0], outputs, windows.Down.Count, windows.Across.Count], x.DType, x.Device);
        x.Device.Kernels.Convolution(x, weight, bias, windows, groups, y);
        return Tape.Records(x, weight, bias) ? Tape.Record(ConvolutionNode.Of(x, weight, bias, windows, groups), y) : y;
    }

    /// <summary>The windows along axis 0 (height) or 1 of the last two.</summary>
    private static WindowAxis AxisOf(Tensor x, Tensor weight, ConvolutionSteps steps, int axis)
    {
        (int length, int size) = (x.Shape[axis + 2], weight.Shape[axis + 2]);
        (int stride, int dilation) = (steps.StrideOf(axis), steps.DilationOf(axis));
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1, nameof(weight));
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1, nameof(steps));
        ArgumentOutOfRangeException.ThrowIfLessThan(dilation, 1, nameof(steps));
        int reach = checked(dilation * (size - 1)), before = steps.SamePadding ? reach / 2 : steps.PaddingOf(axis);
        long padded = length + (steps.SamePadding ? reach : 2L * before);
        if (padded <= reach) throw new ArgumentException($"Conv: windows of {reach + 1} positions are larger than the padded input, {padded} along axis {axis + x.Shape.Rank - 2} of shape {x.Shape}");
        return new WindowAxis(length, size, stride, dilation, before, checked((int)((padded - reach - 1) / stride) + 1));
    }
}
