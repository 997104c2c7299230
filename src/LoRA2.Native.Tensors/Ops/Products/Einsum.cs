using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Products in index notation.</content>
public static partial class Ops
{
    /// <summary>
    /// A sum of products in index notation, as NumPy's <c>einsum</c>: "bij,bjk->bik". A letter names an axis; letters that are not in the result are summed over, one that an operand has twice is
    /// its diagonal, and "…" (three dots) stands for leading axes that broadcast. Without "->" the result has the letters that occur once, in the alphabet's order.
    /// </summary>
    /// <exception cref="ArgumentException">The notation does not fit the operands.</exception>
    public static Tensor Einsum(string notation, params ReadOnlySpan<Tensor> operands)
    {
        ArgumentNullException.ThrowIfNull(notation);
        string text = notation.Replace(" ", "", StringComparison.Ordinal);
        int arrow = text.IndexOf("->", StringComparison.Ordinal);
        string[] terms = (arrow < 0 ? text : text[..arrow]).Split(',');
        if (terms.Length != operands.Length) throw new ArgumentException($"Einsum: '{notation}' has {terms.Length} operands; {operands.Length} were given");
        var labels = new string[terms.Length];
        int most = 0;
        for (int i = 0; i < terms.Length; i++)
        {
            int named = terms[i].Replace("...", "", StringComparison.Ordinal).Length;
            bool dots = terms[i].Contains("...", StringComparison.Ordinal);
            int extra = operands[i].Shape.Rank - named;
            if (extra < 0 || (extra > 0 && !dots)) throw new ArgumentException($"Einsum: '{terms[i]}' does not fit an operand of shape {operands[i].Shape}");
            most = dots ? Math.Max(most, extra) : most;
        }

        // Axes that the dots stand for get labels of their own, the last one the same in all operands.
        string Dots(int count) => string.Concat(Enumerable.Range(0, count).Select(i => (char)('\u0100' + most - count + i)));
        for (int i = 0; i < terms.Length; i++)
            labels[i] = terms[i].Replace("...", Dots(operands[i].Shape.Rank - terms[i].Replace("...", "", StringComparison.Ordinal).Length), StringComparison.Ordinal);
        string all = string.Concat(labels);
        string result = arrow >= 0
            ? text[(arrow + 2)..].Replace("...", Dots(most), StringComparison.Ordinal)
            : Dots(most) + string.Concat(all.Where(label => label < '\u0100' && all.Count(other => other == label) == 1).Order());
        foreach (char label in result)
        {
            if (!all.Contains(label)) throw new ArgumentException($"Einsum: '{notation}' has a '{label}' in its result that no operand has");
        }

        (Tensor x, string have) = WithoutRepeats(operands[0], labels[0]);
        for (int i = 1; i < terms.Length; i++)
        {
            (Tensor next, string names) = WithoutRepeats(operands[i], labels[i]);
            string later = result + string.Concat(labels[(i + 1)..]);
            (x, have) = Contracted(x, have, next, names, later);
        }

        (x, have) = SummedOut(x, have, result);
        return Arranged(x, have, result);
    }

    /// <summary>
    /// Sums over the last <paramref name="axes"/> axes of a and as many first ones of b (NumPy's <c>tensordot</c>).
    /// </summary>
    public static Tensor TensorDot(Tensor a, Tensor b, int axes)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return TensorDot(a, b, [.. Enumerable.Range(a.Shape.Rank - axes, axes)], [.. Enumerable.Range(0, axes)]);
    }

    /// <summary>Sums over pairs of axes of a and b; the others of a come first in the result, then those of b.</summary>
    /// <exception cref="ArgumentException">The axes' extents differ.</exception>
    public static Tensor TensorDot(Tensor a, Tensor b, ReadOnlySpan<int> axesOfA, ReadOnlySpan<int> axesOfB)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (axesOfA.Length != axesOfB.Length) throw new ArgumentException($"TensorDot: {axesOfA.Length} axes can't be paired with {axesOfB.Length}");
        int[] first = [.. axesOfA.ToArray().Select(axis => a.Shape.Axis(axis))];
        int[] second = [.. axesOfB.ToArray().Select(axis => b.Shape.Axis(axis))];
        for (int i = 0; i < first.Length; i++)
        {
            if (a.Shape[first[i]] != b.Shape[second[i]]) throw new ArgumentException($"TensorDot: axis {first[i]} of {a.Shape} and axis {second[i]} of {b.Shape} differ");
        }

        int[] restA = [.. Enumerable.Range(0, a.Shape.Rank).Except(first)];
        int[] restB = [.. Enumerable.Range(0, b.Shape.Rank).Except(second)];
        int inner = first.Aggregate(1, (product, axis) => product * a.Shape[axis]);
        Tensor left = Reshape(Permute(a, [.. restA, .. first]), restA.Aggregate(1, (product, axis) => product * a.Shape[axis]), inner);
        Tensor right = Reshape(Permute(b, [.. second, .. restB]), inner, restB.Aggregate(1, (product, axis) => product * b.Shape[axis]));
        return Reshape(MatMul(left, right), [.. restA.Select(axis => a.Shape[axis]), .. restB.Select(axis => b.Shape[axis])]);
    }

    private static (Tensor X, string Labels) WithoutRepeats(Tensor x, string labels)
    {
        for (int i = 0; i < labels.Length; i++)
        {
            int again = labels.IndexOf(labels[i], i + 1);
            if (again < 0) continue;
            if (x.Shape[i] != x.Shape[again]) throw new ArgumentException($"Einsum: '{labels[i]}' names axes {i} and {again} of shape {x.Shape}, which differ");
            char label = labels[i];
            x = Diagonal(x, 0, i, again);
            labels = labels.Remove(again, 1).Remove(i, 1) + label;
            i--;
        }

        return (x, labels);
    }

    private static (Tensor X, string Labels) SummedOut(Tensor x, string labels, string needed)
    {
        int[] axes = [.. Enumerable.Range(0, labels.Length).Where(i => !needed.Contains(labels[i]))];
        return axes.Length == 0 ? (x, labels) : (Sum(x, axes), string.Concat(labels.Where(needed.Contains)));
    }

    /// <summary>The product of two operands, summed over what nobody needs later: a batch of matrix products.</summary>
    private static (Tensor X, string Labels) Contracted(Tensor a, string labelsA, Tensor b, string labelsB, string later)
    {
        (a, labelsA) = SummedOut(a, labelsA, labelsB + later);
        (b, labelsB) = SummedOut(b, labelsB, labelsA + later);
        string shared = string.Concat(labelsA.Where(labelsB.Contains));
        string batch = string.Concat(shared.Where(later.Contains));
        string inner = string.Concat(shared.Where(label => !later.Contains(label)));
        string left = string.Concat(labelsA.Where(label => !shared.Contains(label)));
        string right = string.Concat(labelsB.Where(label => !shared.Contains(label)));
        int[] extents = [.. shared.Select(label =>
        {
            (int x, int y) = (a.Shape[labelsA.IndexOf(label)], b.Shape[labelsB.IndexOf(label)]);
            return x == y || y == 1 ? x : x == 1 ? y : throw new ArgumentException($"Einsum: an axis that operands share has extent {x} in one and {y} in another");
        })];
        int Extent(char label) => shared.Contains(label) ? extents[shared.IndexOf(label)] : labelsA.Contains(label) ? a.Shape[labelsA.IndexOf(label)] : b.Shape[labelsB.IndexOf(label)];
        int Count(string labels) => labels.Aggregate(1, (product, label) => product * Extent(label));
        Tensor Matrices(Tensor x, string have, string first, string second)
        {
            Tensor arranged = Arranged(x, have, batch + first + second);
            arranged = BroadcastTo(arranged, new Shape([.. (batch + first + second).Select(Extent)]));
            return Reshape(arranged, Count(batch), Count(first), Count(second));
        }

        Tensor product = MatMul(Matrices(a, labelsA, left, inner), Matrices(b, labelsB, inner, right));
        string labels = batch + left + right;
        return (Reshape(product, [.. labels.Select(Extent)]), labels);
    }

    private static Tensor Arranged(Tensor x, string labels, string order) =>
        labels == order ? x : Permute(x, [.. order.Select(label => labels.IndexOf(label))]);
}
