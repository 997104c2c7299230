using LoRA2.Native.Tensors.Checks;

namespace LoRA2.Native.Tensors.Autograd;

/// <summary>
/// An input of an <see cref="OpCase"/> that is stored in another way than the op sees it: with its axes in another order, or as part of a larger
/// tensor whose other elements must not matter. The op is applied to a view.
/// </summary>
internal static class ViewedInput
{
    private const double Padding = 77;

    /// <summary>The same case with about a third of its inputs viewed.</summary>
    public static OpCase InSome(OpCase drawn, CaseSource source)
    {
        Tensor[] stored = [.. drawn.Inputs];
        var views = new Func<Tensor, Tensor>?[stored.Length];
        string description = drawn.Description;
        for (int i = 0; i < stored.Length; i++)
        {
            int layout = source.Int(0, 5);
            if (layout > 1 || stored[i].Shape.Rank == 0) continue;
            bool required = stored[i].RequiresGrad;
            stored[i].RequiresGrad = false;
            (stored[i], views[i]) = layout == 0 ? Permuted(stored[i], source) : Enclosed(stored[i], source);
            stored[i].RequiresGrad = required;
            description += $", input {i} {(layout == 0 ? "permuted" : "part of")} {stored[i].Shape}";
        }

        return new OpCase(stored, inputs => drawn.Apply([.. inputs.Select((input, i) => views[i]?.Invoke(input) ?? input)]), description);
    }

    private static (Tensor Stored, Func<Tensor, Tensor> View) Permuted(Tensor x, CaseSource source)
    {
        int rank = x.Shape.Rank;
        int turn = source.Int(1, Math.Max(rank - 1, 1));
        int[] order = [.. Enumerable.Range(0, rank).Select(axis => (axis + turn) % rank)];
        int[] inverse = [.. Enumerable.Range(0, rank).Select(axis => Array.IndexOf(order, axis))];
        return (Ops.Permute(x, order).Clone(), stored => Ops.Permute(stored, inverse));
    }

    private static (Tensor Stored, Func<Tensor, Tensor> View) Enclosed(Tensor x, CaseSource source)
    {
        int axis = source.Int(0, x.Shape.Rank - 1);
        int length = x.Shape[axis];
        int before = source.Int(0, 2);
        int after = source.Int(before == 0 ? 1 : 0, 2);
        Tensor stored = Tensor.Full(x.Shape.With(axis, before + length + after), Padding, x.DType);
        using Tensor place = Ops.Slice(stored, axis, before, length);
        if (x.DType == DType.Float64) Write<double>(x, place);
        else Write<int>(x, place);
        return (stored, whole => Ops.Slice(whole, axis, before, length));
    }

    private static unsafe void Write<T>(Tensor x, Tensor place)
        where T : unmanaged
    {
        ReadOnlySpan<T> values = x.AsSpan<T>();
        T* to = (T*)place.Pointer;
        for (int i = 0; i < values.Length; i++)
        {
            int rest = i;
            int offset = 0;
            for (int axis = x.Shape.Rank - 1; axis >= 0; axis--)
            {
                offset += rest % x.Shape[axis] * place.Strides[axis];
                rest /= x.Shape[axis];
            }

            to[offset] = values[i];
        }
    }
}
