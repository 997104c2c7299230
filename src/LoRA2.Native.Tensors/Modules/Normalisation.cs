using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors.Modules;

/// <summary>Layer normalisation over the last axis: weight (the gain) and bias of its width.</summary>
public sealed class LayerNorm : Module
{
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly double epsilon;

    /// <summary>Starts with gain 1 and bias 0.</summary>
    public LayerNorm(int width, double epsilon = 1e-5, DType dtype = DType.Float32)
    {
        this.epsilon = epsilon;
        weight = AddParameter("weight", Tensor.Full([width], 1, dtype));
        bias = AddParameter("bias", Tensor.Zeros([width], dtype));
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => Ops.LayerNorm(x, weight.Value, bias.Value, epsilon);
}

/// <summary>Root mean square normalisation over the last axis: weight (the gain) of its width.</summary>
public sealed class RmsNorm : Module
{
    private readonly Parameter weight;
    private readonly double epsilon;

    /// <summary>Starts with gain 1.</summary>
    public RmsNorm(int width, double epsilon = 1e-6, DType dtype = DType.Float32)
    {
        this.epsilon = epsilon;
        weight = AddParameter("weight", Tensor.Full([width], 1, dtype));
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => Ops.RmsNorm(x, weight.Value, epsilon);
}

/// <summary>
/// Batch normalisation of channels, axis 1, of [batch, channels] or [batch, channels, …]: weight (the gain) and bias, and as buffers the running statistics that are used after training.
/// </summary>
public sealed class BatchNorm : Module
{
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly Tensor mean;
    private readonly Tensor variance;
    private readonly Tensor batches;
    private readonly double momentum;
    private readonly double epsilon;

    /// <summary>Starts with gain 1, bias 0, running mean 0 and variance 1.</summary>
    public BatchNorm(int channels, double momentum = 0.1, double epsilon = 1e-5, DType dtype = DType.Float32)
    {
        (this.momentum, this.epsilon) = (momentum, epsilon);
        weight = AddParameter("weight", Tensor.Full([channels], 1, dtype));
        bias = AddParameter("bias", Tensor.Zeros([channels], dtype));
        mean = AddBuffer("running_mean", Tensor.Zeros([channels], dtype));
        variance = AddBuffer("running_var", Tensor.Full([channels], 1, dtype));
        batches = AddBuffer("num_batches_tracked", Tensor.Zeros([], DType.Int64));
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x)
    {
        if (IsTraining) batches.AsSpan<long>()[0]++;
        return Ops.BatchNorm(x, mean, variance, weight.Value, bias.Value, IsTraining, momentum, epsilon);
    }
}
