using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders;

/// <summary>One step of an encoder's stack. Its parameters are made with it and held by it.</summary>
public interface IEncoderLayer
{
    /// <summary>The linear layers that adapters can be put on, in the order of the computation.</summary>
    IReadOnlyList<LinearLayer> Linears { get; }

    /// <summary>[batch, length, width] → [batch, length, width].</summary>
    Tensor Forward(Tensor x, LayerInputs inputs, ForwardContext context);
}

/// <summary>What every layer of a pass is given beside the hidden states.</summary>
/// <param name="Mask">[batch, length] Int32: 1 for a token, 0 for padding; on the hidden states' device.</param>
/// <param name="Positions">The relative positions that the layers share, or null.</param>
public readonly record struct LayerInputs(Tensor Mask, RelativeRows? Positions = null)
{
    /// <summary>Where the tokens are in the batch, in a pass without padding, whose hidden states are [tokens, 1, width]; null: they are [batch, length, width]. Layers of other assemblies get none.</summary>
    internal PackedTokens? Packed { get; init; }
}

/// <summary>Something that a batch's length alone decides, made once a pass for all layers: a table of relative positions.</summary>
public interface IRelativeTable
{
    /// <summary>The rows that distances of this length use, or null when no layer asks for them. The table belongs to the current tensor scope.</summary>
    RelativeRows? For(int length);
}

/// <summary>What a pass's length makes of a table of relative positions.</summary>
/// <param name="Table">[rows, width], the rows in use; or whatever else the family's layers take, such as a bias [heads, length, length].</param>
/// <param name="RowOf">The row of each distance query − key, from −(length − 1) to length − 1; empty where the layers ask for none.</param>
public readonly record struct RelativeRows(Tensor Table, int[] RowOf);
