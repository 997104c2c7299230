using System.Numerics;

namespace LoRA2.Native.Tensors.Loading;

/// <summary>Makes tensors of examples, for a <see cref="DataLoader{TExample, TBatch}"/>.</summary>
public static class Collate
{
    /// <summary>One number of each example: [batch].</summary>
    /// <typeparam name="TExample">One example.</typeparam>
    /// <typeparam name="T">float, double, int, long or bool.</typeparam>
    public static Tensor Stack<TExample, T>(IReadOnlyList<TExample> examples, Func<TExample, T> value)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(value);
        var values = new T[examples.Count];
        for (int i = 0; i < values.Length; i++) values[i] = value(examples[i]);
        return Tensor.From(values, [values.Length]);
    }

    /// <summary>Numbers of each example, as many as <paramref name="shape"/> has elements: [batch, ..shape].</summary>
    /// <typeparam name="TExample">One example.</typeparam>
    /// <typeparam name="T">float, double, int, long or bool.</typeparam>
    /// <exception cref="ArgumentException">An example has another number of them; the message names its place in the batch.</exception>
    public static Tensor Stack<TExample, T>(IReadOnlyList<TExample> examples, Func<TExample, T[]> values, Shape shape)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(values);
        int each = shape.Elements;
        var all = new T[checked(examples.Count * each)];
        for (int i = 0; i < examples.Count; i++)
        {
            T[] row = values(examples[i]);
            if (row.Length != each) throw new ArgumentException($"example {i} of the batch has {row.Length} numbers; {each} were expected, for the shape {shape}");
            row.CopyTo(all, i * each);
        }

        return Tensor.From(all, [examples.Count, .. shape]);
    }

    /// <summary>Sequences of different lengths, made as long as the longest of them, and at least 1.</summary>
    /// <typeparam name="T">float, double, int or long.</typeparam>
    /// <returns>The values, [batch, longest], and which of them are an example's own, [batch, longest] bool.</returns>
    public static (Tensor Values, Tensor Mask) Pad<T>(IReadOnlyList<T[]> sequences, T padding)
        where T : unmanaged, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(sequences);
        int longest = 1;
        foreach (T[] sequence in sequences) longest = Math.Max(longest, sequence.Length);
        var values = new T[checked(sequences.Count * longest)];
        var mask = new bool[values.Length];
        Array.Fill(values, padding);
        for (int i = 0; i < sequences.Count; i++)
        {
            sequences[i].CopyTo(values, i * longest);
            Array.Fill(mask, true, i * longest, sequences[i].Length);
        }

        return (Tensor.From(values, [sequences.Count, longest]), Tensor.From(mask, [sequences.Count, longest]));
    }
}
