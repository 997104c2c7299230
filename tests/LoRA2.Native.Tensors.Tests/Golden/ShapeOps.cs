namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>Shapes: views, joining, repeating, padding.</summary>
internal static class ShapeOps
{
    public static Dictionary<string, Func<OpCall, Tensor[]>> All { get; } = new()
    {
        ["reshape"] = c => [Ops.Reshape(c.X(), c.Ints(1, "shape")!)],
        ["view"] = c => [Ops.Reshape(c.X(), c.Ints(1)!)],
        ["permute"] = c => [Ops.Permute(c.X(), c.Ints(1, "dims")!)],
        ["transpose"] = c => [Ops.Transpose(c.X(), c.Int(1, "dim0", 0), c.Int(2, "dim1", 1))],
        ["squeeze"] = c => [c.Find(1, "dim") is null ? Ops.Squeeze(c.X()) : Ops.Squeeze(c.X(), c.Int(1, "dim", 0))],
        ["unsqueeze"] = c => [Ops.Unsqueeze(c.X(), c.Int(1, "dim", 0))],
        ["expand"] = c => [Ops.Expand(c.X(), c.Ints(1)!)],
        ["flatten"] = c => [Ops.Flatten(c.X(), c.Int(1, "start_dim", 0), c.Int(2, "end_dim", -1))],
        ["narrow"] = Narrow,
        ["select"] = c => [Ops.Select(c.X(), c.Int(1, "dim", 0), c.Int(2, "index", 0))],
        ["cat"] = c => [Cat(c.List(0), c.Int(1, "dim", 0))],
        ["stack"] = c => [Ops.Stack(c.Int(1, "dim", 0), c.List(0))],
        ["split"] = c => c.Find(1, "")!.Value.ValueKind == System.Text.Json.JsonValueKind.Array ? Ops.Split(c.X(), c.Ints(1)!, c.Int(2, "dim", 0)) : Ops.Split(c.X(), c.Int(1, "", 0), c.Int(2, "dim", 0)),
        ["chunk"] = c => Ops.Chunk(c.X(), c.Int(1, "chunks", 0), c.Int(2, "dim", 0)),
        ["unbind"] = c => Ops.Unbind(c.X(), c.Int(1, "dim", 0)),
        ["repeat"] = c => [Ops.Tile(c.X(), c.Ints(1)!)],
        ["tile"] = c => [Ops.Tile(c.X(), c.Ints(1, "dims")!)],
        ["flip"] = c => [Ops.Flip(c.X(), c.Ints(1, "dims")!)],
        ["roll"] = Roll,
        ["tril"] = c => [Ops.Tril(c.X(), c.Int(1, "diagonal", 0))],
        ["triu"] = c => [Ops.Triu(c.X(), c.Int(1, "diagonal", 0))],
        ["diag"] = c => [Ops.Diag(c.X(), c.Int(1, "diagonal", 0))],
        ["diagonal"] = c => [Ops.Diagonal(c.X(), c.Int(1, "offset", 0), c.Int(2, "dim1", 0), c.Int(3, "dim2", 1))],
        ["pad_constant"] = c => [Ops.Pad(c.X(), c.Ints(1, "pad")!, PadMode.Constant, c.Number(3, "value", 0))],
        ["pad_reflect"] = c => [Ops.Pad(c.X(), c.Ints(1, "pad")!, PadMode.Reflect)],
        ["pad_replicate"] = c => [Ops.Pad(c.X(), c.Ints(1, "pad")!, PadMode.Replicate)],
        ["movedim"] = c => [Ops.MoveAxes(c.X(), c.X().Shape.Rank == 0 ? [] : c.Ints(1)!, c.X().Shape.Rank == 0 ? [] : c.Ints(2)!)],
        ["unfold"] = c => [Ops.Windows(c.X(), c.Int(1, "dimension", 0), c.Int(2, "size", 1), c.Int(3, "step", 1))],
        ["meshgrid"] = c => Ops.MeshGrid(c.List(0), c.Text(-1, "indexing") == "xy"),
        ["pixel_shuffle"] = c => [Ops.PixelShuffle(c.X(), c.Int(1, "upscale_factor", 1))],
        ["trace"] = c => [Ops.Trace(c.X())],
    };

    private static Tensor[] Narrow(OpCall c)
    {
        int axis = c.Int(1, "dim", 0), start = c.Int(2, "start", 0);
        return [Ops.Slice(c.X(), axis, start < 0 ? start + c.X().Shape[c.X().Shape.Axis(axis)] : start, c.Int(3, "length", 0))];
    }

    /// <summary>PyTorch leaves out what has the shape [0].</summary>
    private static Tensor Cat(Tensor[] inputs, int axis)
    {
        Tensor[] counted = [.. inputs.Where(input => input.Shape.Rank != 1 || input.Count > 0)];
        return counted.Length == 0 ? Ops.Concat(axis, inputs) : Ops.Concat(axis, counted);
    }

    private static Tensor[] Roll(OpCall c)
    {
        int[] shifts = c.Ints(1, "shifts")!;
        if (c.Ints(2, "dims") is not { Length: > 0 } axes) return [Ops.Roll(c.X(), shifts[0])];
        Tensor y = c.X();
        for (int i = 0; i < axes.Length; i++) y = Ops.Roll(y, shifts[i], axes[i]);
        return [y];
    }
}
