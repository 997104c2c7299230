using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Encoders;

/// <summary>What can be put on a linear layer to change what it computes; adapters are.</summary>
public interface ILayerAdapter : IDisposable
{
    /// <summary>Its own tensors, which a model counts among its parameters.</summary>
    IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>
    /// Whether its forward pass keeps no tensor and none of another's, so that training and evaluation may use tensors' objects again
    /// (<see cref="TensorReuse"/>).
    /// </summary>
    bool KeepsNothing { get; }

    /// <summary>activation(x Wᵀ + b + the update): [.., in] → [.., out].</summary>
    Tensor Forward(Tensor x, Tensor weight, Tensor? bias, Activation activation);

    /// <summary>Moves what it keeps to a device.</summary>
    void MoveTo(Device device);
}
