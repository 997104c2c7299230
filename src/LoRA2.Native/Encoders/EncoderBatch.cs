using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

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

    /// <summary>[batch, length] Int32 rows of a table of absolute positions, or null: they are counted from the ids.</summary>
    public Tensor? Positions { get; init; }

    /// <summary>[places] Int32 tokens that the head is wanted of alone, counted through all sequences, or null for all of them.</summary>
    public Tensor? Selected { get; init; }

    /// <summary>The same batch on a device; itself when it is there.</summary>
    public EncoderBatch To(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new(Ids.To(device), Mask.To(device), TypeIds?.To(device)) { Positions = Positions?.To(device), Selected = Selected?.To(device) };
    }

    /// <summary>Sequences of it, without what is selected.</summary>
    internal EncoderBatch Rows(int first, int count) =>
        new(Ops.Slice(Ids, 0, first, count), Ops.Slice(Mask, 0, first, count), TypeIds is null ? null : Ops.Slice(TypeIds, 0, first, count)) { Positions = Positions is null ? null : Ops.Slice(Positions, 0, first, count) };

    /// <summary>Overwrites this batch with another of its shape, on any device.</summary>
    internal void CopyFrom(in EncoderBatch other)
    {
        Ids.CopyFrom(other.Ids);
        Mask.CopyFrom(other.Mask);
        TypeIds?.CopyFrom(other.TypeIds!);
        Positions?.CopyFrom(other.Positions!);
        Selected?.CopyFrom(other.Selected!);
    }

    /// <summary>Takes all of it out of the current tensor scope.</summary>
    internal EncoderBatch Detach(TensorScope scope)
    {
        foreach (Tensor? tensor in (ReadOnlySpan<Tensor?>)[Ids, Mask, TypeIds, Positions, Selected])
        {
            if (tensor is not null) scope.Detach(tensor);
        }

        return this;
    }

    /// <summary>Frees it.</summary>
    internal void Free()
    {
        foreach (Tensor? tensor in (ReadOnlySpan<Tensor?>)[Ids, Mask, TypeIds, Positions, Selected]) tensor?.Dispose();
    }

    internal void Require()
    {
        foreach ((string name, Tensor? tensor) in (ReadOnlySpan<(string, Tensor?)>)[("ids", Ids), ("mask", Mask), ("type ids", TypeIds)])
        {
            if (tensor is null) continue;
            if (tensor.DType != DType.Int32 || tensor.Shape.Rank != 2 || tensor.Shape != Ids.Shape || !tensor.IsContiguous)
                throw new ArgumentException($"a batch's {name} are {tensor.Description}; a contiguous Int32 [batch, length] like the ids, {Ids.Shape}, is needed");
        }
    }
}
