namespace LoRA2.Native.Tensors;

/// <summary>
/// An activation function, applied element by element: what ops, the epilogue of a product and the kernels are given. Each computes its gradient from its argument.
/// </summary>
public enum Activation
{
    /// <summary>x itself.</summary>
    None,

    /// <summary>x Φ(x), the exact form, with erf (arXiv 1606.08415).</summary>
    Gelu,

    /// <summary>max(x, 0); NaN is kept, and the gradient at 0 is 0.</summary>
    Relu,

    /// <summary>tanh x.</summary>
    Tanh,

    /// <summary>Gelu's approximation by a tanh, ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) (arXiv 1606.08415, section 2).</summary>
    GeluTanh,

    /// <summary>Gelu's approximation by a sigmoid, x σ(1.702 x) (the same).</summary>
    QuickGelu,

    /// <summary>x tanh(ln(1 + e^x)) (arXiv 1908.08681).</summary>
    Mish,

    /// <summary>x σ(x), also called swish, with σ(x) = 1 / (1 + e^−x) (arXiv 1606.08415, section 2).</summary>
    Silu,
}
