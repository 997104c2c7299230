using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Adapters.Methods;

/// <summary>Full fine-tuning: W ← W + ΔW for every weight, with no adapter. The whole model is saved.</summary>
public sealed record FullMethod : AdapterMethod
{
    /// <inheritdoc/>
    public override string Name => "full";

    /// <inheritdoc/>
    public override string Title => "full fine-tuning";

    /// <inheritdoc/>
    public override bool UsesTargets => false;

    /// <inheritdoc/>
    public override double DefaultLearningRate => 5e-5;

    /// <inheritdoc/>
    public override bool Trains(Parameter parameter) => true;
}
