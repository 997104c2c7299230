namespace LoRA2.Native.Tensors;

/// <summary>
/// The precision of the big matrix products. Everything else (adapters, softmax, layer norm, losses, optimiser) computes in the tensors' own
/// type whatever it is, and sums are float32 or better in every one.
/// </summary>
public enum Precision
{
    /// <summary>Float32 operands and sums (float64 for float64 tensors).</summary>
    Float32,

    /// <summary>Operands rounded to bfloat16 (8 bits), sums in float32.</summary>
    BFloat16,

    /// <summary>Each operand as the sum of two bfloat16 terms, three products of them: about 16 bits.</summary>
    BFloat16x3,

    /// <summary>Each operand as the sum of three bfloat16 terms, six products of them: close to float32.</summary>
    BFloat16x6,

    /// <summary>
    /// For inference: frozen weights in 8 bits, an output's scale each, and the layer's input rounded to integers when it comes, a row's scale each; exact sums. On the CPU. Attention, adapters, and the products of
    /// gradients and of weights that are trained are float32.
    /// </summary>
    Int8,
}
