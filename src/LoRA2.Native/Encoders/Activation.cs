using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders;

/// <summary>The activation functions a config may name.</summary>
internal static class Activation
{
    public static readonly string[] Names = ["gelu", "relu", "tanh"];

    /// <summary>The activation of a layer's result.</summary>
    public static Tensor Apply(string name, LinearLayer layer, Tensor x) => name == "gelu" ? layer.ForwardGelu(x) : Apply(name, layer.Forward(x));

    public static Tensor Apply(string name, Tensor x) => name switch
    {
        "gelu" => Ops.Gelu(x),
        "relu" => Ops.Relu(x),
        "tanh" => Ops.Tanh(x),
        _ => throw new ArgumentException($"there is no activation '{name}'; there are {string.Join(", ", Names)}"),
    };
}
