using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Adapters;

/// <summary>A trained update of one frozen linear layer. What one is made of, and how PEFT's files name it, is up to the method.</summary>
public abstract class Adapter : ILayerAdapter
{
    /// <summary>Makes the adapter of a layer.</summary>
    protected Adapter(string module) => Module = module;

    /// <summary>The layer's name.</summary>
    public string Module { get; }

    /// <summary>The trained tensors, named <c>module.part</c>.</summary>
    public abstract IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Number of trained values.</summary>
    public int ParameterCount => Parameters.Sum(parameter => parameter.Count);

    /// <summary>Ranks that change the result: those whose singular value or gate is not 0.</summary>
    public abstract int EffectiveRank { get; }

    /// <summary>One value of each rank, contiguous, whose 0 takes the rank out: singular values or gates. Null where training drops no rank.</summary>
    public virtual Tensor? RankValues => null;

    /// <summary>
    /// Whether its forward pass keeps no tensor, so that training and evaluation may use tensors' objects again
    /// (<see cref="TensorReuse"/>): true of this library's own.
    /// </summary>
    public virtual bool KeepsNothing => false;

    /// <summary>Bytes of its tensors, those that are not trained too.</summary>
    public virtual long Bytes => Parameters.Sum(parameter => parameter.Value.Count * (long)parameter.Value.DType.Size());

    /// <summary>activation(x Wᵀ + b + the update): [.., in] → [.., out].</summary>
    public abstract Tensor Forward(Tensor x, Tensor weight, Tensor? bias, Activation activation = Activation.None);

    /// <summary>The weight with the update in it, [out, in], for a merge.</summary>
    public abstract Tensor Merged(Tensor weight);

    /// <summary>
    /// The tensors as a PEFT file holds them: what follows the module's name, and the values in PEFT's layout, without ranks that were pruned.
    /// </summary>
    public abstract IEnumerable<(string Suffix, Tensor Value)> ToPeft();

    /// <summary>Moves the parameters to a device; an adapter that keeps other tensors moves them too.</summary>
    public virtual void MoveTo(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        foreach (Parameter parameter in Parameters) parameter.MoveTo(device);
    }

    /// <summary>Frees the parameters.</summary>
    public virtual void Dispose()
    {
        foreach (Parameter parameter in Parameters) parameter.Value.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A parameter of this adapter, to be trained: named <c>module.part</c>, and taken out of every scope.</summary>
    protected Parameter Trained(string part, Tensor value)
    {
        var parameter = new Parameter($"{Module}.{part}", value);
        parameter.Train();
        return parameter;
    }
}
