using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders;

/// <summary>A padded batch of token sequences; a model moves it to its own device.</summary>
/// <param name="Ids">[batch, length] Int32.</param>
/// <param name="Mask">[batch, length] Int32: 1 for a token, 0 for padding.</param>
/// <param name="TypeIds">[batch, length] Int32 segment ids, or null for all 0. Models without segments ignore them.</param>
public readonly record struct EncoderBatch(Tensor Ids, Tensor Mask, Tensor? TypeIds = null)
{
    /// <summary>Number of sequences.</summary>
    public int Size => Ids.Shape[0];

    /// <summary>Tokens of the longest, padding included.</summary>
    public int Length => Ids.Shape[1];

    /// <summary>The same batch on a device; itself when it is there.</summary>
    internal EncoderBatch To(Device device) => new(Ids.To(device), Mask.To(device), TypeIds?.To(device));

    internal void Require()
    {
        foreach ((string name, Tensor? tensor) in (ReadOnlySpan<(string, Tensor?)>)[("ids", Ids), ("mask", Mask), ("type ids", TypeIds)])
        {
            if (tensor is null) continue;
            if (tensor.DType != DType.Int32 || tensor.Shape.Rank != 2 || tensor.Shape != Ids.Shape || !tensor.IsContiguous)
                throw new ArgumentException($"a batch's {name} are {tensor}; a contiguous Int32 [batch, length] like the ids, {Ids.Shape}, is needed");
        }
    }
}
