using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Recomputation.</content>
public static partial class Ops
{
    /// <summary>
    /// The result of <paramref name="body"/>, of which nothing is kept but the inputs: the backward pass runs it a second time, to have what its
    /// gradients need (Chen, Xu, Zhang and Guestrin, "Training deep nets with sublinear memory cost", arXiv 1604.06174). The gradients are those of
    /// the body, bit for bit, if it gives the same result both times; dropouts do when their masks are the same.
    /// </summary>
    /// <param name="body">Applies ops to the inputs and to parameters. It must not read anything that changes in between.</param>
    /// <param name="inputs">What the body reads beside parameters: it is kept until the gradient was computed.</param>
    public static Tensor Checkpoint(Func<Tensor> body, params ReadOnlySpan<Tensor> inputs)
    {
        ArgumentNullException.ThrowIfNull(body);
        if (Recording.Current is null) return body();
        Tensor y = Recording.Unrecorded(body);
        // Of what was not recorded, only an input or a parameter requires a gradient: the body did nothing.
        return y.RequiresGrad ? y : Tape.Record(new CheckpointNode(body, inputs), Contiguous(y));
    }

    private sealed class CheckpointNode : Node
    {
        private readonly Func<Tensor> body;

        public CheckpointNode(Func<Tensor> body, ReadOnlySpan<Tensor> inputs)
        {
            this.body = body;
            foreach (Tensor input in inputs) Save(input);
        }

        protected internal override void Backward(Tensor gradient)
        {
            using var tape = new Tape { DetectAnomaly = Tape!.DetectAnomaly };
            Tensor y = Contiguous(body());
            // Gradients go straight to the inputs, whose own ops come later on the tape that this one is on.
            if (y.RequiresGrad) tape.Backward(y, gradient);
        }
    }
}
