using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Adapters.Methods;

/// <summary>
/// BitFit (arXiv 2106.10199): only the bias terms b of every layer and layer norm are trained, beside the head. y = x Wᵀ + b with W frozen. The biases are
/// saved in an adapter's folder under their own names.
/// </summary>
public sealed record BitFitMethod : AdapterMethod
{
    /// <inheritdoc/>
    public override string Name => "bitfit";

    /// <inheritdoc/>
    public override string Title => "BitFit";

    /// <inheritdoc/>
    public override string? PeftType => "BITFIT";

    /// <inheritdoc/>
    public override bool UsesTargets => false;

    /// <inheritdoc/>
    public override bool Trains(Parameter parameter) => parameter.Name.EndsWith(".bias", StringComparison.Ordinal);
}
