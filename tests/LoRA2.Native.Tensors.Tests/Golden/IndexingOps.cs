using System.Text.Json;

namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>Indexing, gathering and scattering.</summary>
internal static class IndexingOps
{
    public static Dictionary<string, Func<OpCall, Tensor[]>> All { get; } = new()
    {
        ["slice"] = c => [Ops.Index(c.X(), Terms(c))],
        ["getitem"] = c => [Ops.Index(c.X(), Terms(c))],
        ["index_select"] = c => [Ops.IndexSelect(c.X(), c.Int(1, "dim", 0), c.X(2))],
        ["gather"] = c => [Ops.TakeAlongAxis(c.X(), c.X(2), c.Int(1, "dim", 0))],
        ["scatter"] = c => [c.Maybe(3, "src") is { } source ? Ops.Scatter(c.X(), c.Int(1, "dim", 0), c.X(2), source) : Ops.Scatter(c.X(), c.Int(1, "dim", 0), c.X(2), c.Number(3, "value", 0))],
        ["scatter_add"] = c => [Ops.ScatterAdd(c.X(), c.Int(1, "dim", 0), c.X(2), c.X(3))],
        ["index_add"] = c => [Ops.IndexAdd(c.X(), c.Int(1, "dim", 0), c.X(2), c.X(3), c.Number(4, "alpha", 1))],
        ["masked_fill"] = c => [c.Maybe(2, "value") is { } value ? Ops.MaskedFill(c.X(), c.X(1), value) : Ops.MaskedFill(c.X(), c.X(1), c.Scalar(2, "value"))],
        ["masked_select"] = c => [Ops.MaskedSelect(c.X(), c.X(1))],
        ["take_along_dim"] = TakeAlong,
        ["one_hot"] = c => [Ops.OneHot(c.X(), c.Int(1, "num_classes", -1))],
    };

    private static TensorIndex[] Terms(OpCall c)
    {
        JsonElement index = c.Find(1, "")!.Value;
        return index.ValueKind == JsonValueKind.Array ? [.. index.EnumerateArray().Select(term => Term(c, term))] : [Term(c, index)];
    }

    private static TensorIndex Term(OpCall c, JsonElement term)
    {
        if (term.ValueKind == JsonValueKind.Null) return TensorIndex.NewAxis;
        if (term.ValueKind == JsonValueKind.Number) return term.GetInt32();
        if (OpCall.IsTensor(term)) return c.Of(term);
        if (term.TryGetProperty("ellipsis", out _)) return TensorIndex.Ellipsis;
        JsonElement slice = term.GetProperty("slice");
        Index At(JsonElement value, Index otherwise) => value.ValueKind == JsonValueKind.Null ? otherwise : value.GetInt32() is var i && i < 0 ? ^-i : i;
        int step = slice[2].ValueKind == JsonValueKind.Null ? 1 : slice[2].GetInt32();
        return TensorIndex.Every(step, new Range(At(slice[0], 0), At(slice[1], ^0)));
    }

    private static Tensor[] TakeAlong(OpCall c)
    {
        (Tensor x, Tensor index) = (c.X(), c.X(1));
        if (c.Find(2, "dim") is null) return [Ops.TakeAlongAxis(Ops.Reshape(x, -1), Ops.Reshape(index, -1), 0)];
        int axis = x.Shape.Axis(c.Int(2, "dim", 0));
        // The other axes broadcast.
        int[] wide = new int[x.Shape.Rank], narrow = new int[x.Shape.Rank];
        for (int i = 0; i < wide.Length; i++)
        {
            int extent = x.Shape[i] == 1 ? index.Shape[i] : x.Shape[i];
            wide[i] = i == axis ? x.Shape[i] : extent;
            narrow[i] = i == axis ? index.Shape[i] : extent;
        }

        return [Ops.TakeAlongAxis(Ops.Expand(x, wide), Ops.Expand(index, narrow), axis)];
    }
}
