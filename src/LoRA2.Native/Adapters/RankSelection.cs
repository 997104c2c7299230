using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Adapters;

/// <summary>Copies of some rows or columns of a matrix: what pruning left.</summary>
internal static class RankSelection
{
    /// <summary>The places of a vector's elements that are not 0.</summary>
    public static int[] NonZero(Tensor vector)
    {
        float[] values = vector.ToArray<float>();
        return [.. Enumerable.Range(0, values.Length).Where(i => values[i] != 0)];
    }

    /// <summary>How many of a vector's elements are not 0. Allocates nothing for one on the CPU.</summary>
    public static int CountNonZero(Tensor vector)
    {
        using var scope = new TensorScope();
        return vector.Count - vector.To(Device.Cpu).AsSpan<float>().Count(0f);
    }

    /// <summary>[n, m] → [kept, m].</summary>
    public static Tensor Rows(Tensor matrix, int[] kept) => Select(matrix, kept, 0);

    /// <summary>[n, m] → [n, kept].</summary>
    public static Tensor Columns(Tensor matrix, int[] kept) => Select(matrix, kept, 1);

    private static Tensor Select(Tensor matrix, int[] kept, int axis)
    {
        if (kept.Length == matrix.Shape[axis]) return matrix;
        (int rows, int columns) = (matrix.Shape[0], matrix.Shape[1]);
        float[] source = matrix.ToArray<float>();
        float[] values = axis == 0
            ? [.. kept.SelectMany(row => source[(row * columns)..((row + 1) * columns)])]
            : [.. Enumerable.Range(0, rows).SelectMany(row => kept.Select(column => source[(row * columns) + column]))];
        return Tensor.From(values, axis == 0 ? [kept.Length, columns] : [rows, kept.Length]);
    }
}
