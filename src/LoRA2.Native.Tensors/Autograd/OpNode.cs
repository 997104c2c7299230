namespace LoRA2.Native.Tensors.Autograd;

/// <summary>
/// A <see cref="Node"/> whose <see cref="Node.Backward"/> consists of ops, so that a gradient taken with <see cref="Autograd.Tape.Gradients"/> and <c>createGraph</c>
/// can be differentiated again.
/// </summary>
public abstract class OpNode : Node
{
    /// <summary>Does what <see cref="Node.Backward"/> does.</summary>
    protected internal sealed override void RecordedBackward(Tensor gradient) => Backward(gradient);
}
