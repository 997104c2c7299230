using LoRA2.Native.Tensors;

namespace LoRA2.Native.Adapters;

/// <summary>A trained update of one frozen linear layer. What one is made of, and how PEFT's files name it, is up to the method.</summary>
public abstract class Adapter : IDisposable
{
    /// <summary>The trained tensors, named <c>module.part</c>.</summary>
    public abstract IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Factor of the update.</summary>
    public abstract double Scale { get; }

    /// <summary>Number of trained values.</summary>
    public int ParameterCount => Parameters.Sum(parameter => parameter.Count);

    /// <summary>
    /// Whether its forward pass keeps no tensor, so that training and evaluation may use tensors' objects again
    /// (<see cref="TensorReuse"/>): true of this library's own.
    /// </summary>
    internal virtual bool KeepsNothing => false;

    /// <summary>y = x Wᵀ + b + the update: [.., in] → [.., out].</summary>
    public abstract Tensor Forward(Tensor x, Tensor weight, Tensor bias);

    /// <summary>The update of the weight, [out, in], scale included: what a merge adds.</summary>
    public abstract Tensor Delta();

    /// <summary>The tensors as a PEFT file holds them: what follows the module's name, and the values in PEFT's layout.</summary>
    public abstract IEnumerable<(string Suffix, Tensor Value)> ToPeft();

    /// <summary>Frees the parameters.</summary>
    public void Dispose()
    {
        foreach (Parameter parameter in Parameters) parameter.Value.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A tensor out of every scope, trained.</summary>
    private protected static Parameter Trained(string name, Tensor value)
    {
        var parameter = new Parameter(name, value);
        parameter.Train();
        return parameter;
    }
}
