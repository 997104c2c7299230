using LoRA2.Native.Files;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders;

/// <summary>The activation functions under the names that HuggingFace's configs give them.</summary>
public static class ActivationNames
{
    private static readonly (string Name, Activation Value)[] Known =
    [
        ("gelu", Activation.Gelu),
        ("relu", Activation.Relu),
        ("tanh", Activation.Tanh),
        ("silu", Activation.Silu),
        ("swish", Activation.Silu),
        ("gelu_new", Activation.GeluTanh),
        ("gelu_pytorch_tanh", Activation.GeluTanh),
        ("gelu_fast", Activation.GeluTanh),
        ("quick_gelu", Activation.QuickGelu),
        ("mish", Activation.Mish),
    ];

    /// <summary>The activation that a field names.</summary>
    /// <exception cref="InputException">The name is none of those known here.</exception>
    public static Activation Read(ConfigFields fields, string field, Activation fallback)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(field);
        string standard = Known.First(known => known.Value == fallback).Name;
        string name = fields.OneOf(field, standard, [.. Known.Select(known => known.Name)]);
        Activation read = Known.First(known => known.Name == name).Value;
        // Several names mean the same.
        fields.Means(field, Known.First(known => known.Value == read).Name);
        return read;
    }
}
