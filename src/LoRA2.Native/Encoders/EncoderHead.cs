using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Encoders;

/// <summary>What makes logits of an encoder's last hidden states.</summary>
public abstract class EncoderHead
{
    /// <summary>Its modules in the order of the computation, as PEFT counts them: one is trained and saved whole or not at all.</summary>
    public abstract IReadOnlyList<HeadModule> Modules { get; }

    /// <summary>The last linear layer: one output a label. Null where there is none: a vector of the text is all that is asked.</summary>
    public virtual LinearLayer? Classifier => null;

    /// <summary>Its linear layers, in the order of the computation: a PEFT adapter may reach them too.</summary>
    public virtual IReadOnlyList<LinearLayer> Linears => Classifier is null ? [] : [Classifier];

    /// <summary>The parameters of all modules.</summary>
    public IEnumerable<Parameter> Parameters => Modules.SelectMany(module => module.Parameters);

    /// <summary>[batch, length, width] → [batch, labels].</summary>
    /// <param name="hidden">The last hidden states.</param>
    /// <param name="mask">[batch, length] Int32: 1 for a token, 0 for padding; on the same device.</param>
    /// <param name="context">The pass.</param>
    public abstract Tensor Forward(Tensor hidden, Tensor mask, ForwardContext context);
}

/// <summary>A module of a head: what PEFT wraps when <c>modules_to_save</c> names it.</summary>
/// <param name="Path">The module's whole name: <c>bert.pooler</c>, <c>classifier</c>.</param>
/// <param name="Parameters">All parameters below it.</param>
public sealed record HeadModule(string Path, IReadOnlyList<Parameter> Parameters)
{
    /// <summary>The name that <c>modules_to_save</c> has for it, the path's last part.</summary>
    public string Name => Path[(Path.LastIndexOf('.') + 1)..];
}
