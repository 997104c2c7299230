using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tensors;

/// <summary>The extents of a tensor, outermost first. A scalar has rank 0 and one element.</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The most axes a tensor has.</summary>
    internal const int MaxRank = Devices.StridedLayout.MaxRank;

    private readonly Axes extents;

    /// <summary>Makes a shape.</summary>
    /// <exception cref="ArgumentException">There are more than six extents, one is negative, or there are 2³¹ elements or more.</exception>
    public Shape(params ReadOnlySpan<int> extents)
    {
        if (extents.Length > MaxRank) throw new ArgumentException($"shape {Listed(extents)} has more than {MaxRank} axes");
        long count = 1;
        foreach (int extent in extents)
        {
            if (extent < 0) throw new ArgumentException($"shape {Listed(extents)} has a negative extent");
            count *= extent;
            if (count > int.MaxValue) throw new ArgumentException($"shape {Listed(extents)} has 2^31 elements or more");
        }

        extents.CopyTo(this.extents);
        Rank = extents.Length;
        Elements = (int)count;
    }

    /// <summary>Number of axes.</summary>
    public int Rank { get; }

    /// <summary>Number of elements. (Not called Count: the compiler would take that for the number of extents in a collection expression.)</summary>
    public int Elements { get => Rank == 0 ? 1 : field; }

    /// <summary>The extents, outermost first.</summary>
    [UnscopedRef]
    public ReadOnlySpan<int> Extents => ((ReadOnlySpan<int>)extents)[..Rank];

    /// <summary>The extent of one axis.</summary>
    public int this[int axis] => Extents[axis];

    /// <summary>The extent of one axis, counted from either end.</summary>
    public int this[Index axis] => Extents[axis];

    /// <summary>The product of all extents but the last; 1 for rank 0.</summary>
    public int Rows
    {
        get
        {
            int rows = 1;
            for (int i = 0; i < Rank - 1; i++) rows *= extents[i];
            return rows;
        }
    }

    /// <summary>The last extent; 1 for rank 0.</summary>
    public int Columns => Rank == 0 ? 1 : extents[Rank - 1];

    /// <summary>Makes a shape from a collection expression.</summary>
    public static Shape Create(ReadOnlySpan<int> extents) => new(extents);

    /// <summary>The same shape with one axis of another extent.</summary>
    public Shape With(int axis, int extent)
    {
        Span<int> changed = stackalloc int[Rank];
        Extents.CopyTo(changed);
        changed[axis] = extent;
        return new Shape(changed);
    }

    /// <summary>The same shape without its last <paramref name="dropped"/> axes and with others in their place.</summary>
    internal Shape WithLast(int dropped, params ReadOnlySpan<int> others)
    {
        Span<int> changed = stackalloc int[Rank - dropped + others.Length];
        Extents[..^dropped].CopyTo(changed);
        others.CopyTo(changed[(Rank - dropped)..]);
        return new Shape(changed);
    }

    /// <summary>The same shape without one axis.</summary>
    internal Shape Without(int axis)
    {
        Span<int> changed = stackalloc int[Rank - 1];
        Extents[..axis].CopyTo(changed);
        Extents[(axis + 1)..].CopyTo(changed[axis..]);
        return new Shape(changed);
    }

    /// <summary>The axis as a number from 0, given one that may count from the end as −1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such axis.</exception>
    public int Axis(int axis)
    {
        int found = axis < 0 ? axis + Rank : axis;
        if (found < 0 || found >= Rank) throw new ArgumentOutOfRangeException(nameof(axis), axis, $"shape {this} has no such axis");
        return found;
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) => Extents.SequenceEqual(other.Extents);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (int extent in Extents) hash.Add(extent);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() => Listed(Extents);

    /// <summary>Enumerates the extents.</summary>
    [UnscopedRef]
    public ReadOnlySpan<int>.Enumerator GetEnumerator() => Extents.GetEnumerator();

    /// <summary>Whether two shapes are the same.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Whether two shapes differ.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>Writes the strides of a contiguous tensor of this shape, in elements.</summary>
    internal void ContiguousStrides(Span<int> strides)
    {
        int stride = 1;
        for (int i = Rank - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= Math.Max(extents[i], 1);
        }
    }

    /// <summary>The shape two operands broadcast to, as NumPy does it.</summary>
    /// <exception cref="ArgumentException">They don't.</exception>
    internal static Shape Broadcast(Shape a, Shape b, string op)
    {
        if (a == b) return a;
        int rank = Math.Max(a.Rank, b.Rank);
        Span<int> result = stackalloc int[rank];
        for (int i = 1; i <= rank; i++)
        {
            int x = i <= a.Rank ? a[^i] : 1;
            int y = i <= b.Rank ? b[^i] : 1;
            if (x != y && x != 1 && y != 1) throw new ArgumentException($"{op}: shapes {a} and {b} don't broadcast");
            result[rank - i] = x == 1 ? y : x;
        }

        return new Shape(result);
    }

    private static string Listed(ReadOnlySpan<int> extents) => $"[{string.Join(", ", extents.ToArray())}]";

    /// <summary>Room for one number an axis, held in place so that a shape is no object of its own.</summary>
    [InlineArray(MaxRank)]
    internal struct Axes
    {
        private int first;
    }
}
