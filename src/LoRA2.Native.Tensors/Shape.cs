using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tensors;

/// <summary>The extents of a tensor, outermost first. A scalar has rank 0 and one element.</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public readonly struct Shape : IEquatable<Shape>
{
    private readonly int[]? extents;

    /// <summary>Makes a shape.</summary>
    /// <exception cref="ArgumentException">An extent is negative, or there are 2³¹ elements or more.</exception>
    public Shape(params ReadOnlySpan<int> extents)
    {
        long count = 1;
        foreach (int extent in extents)
        {
            if (extent < 0) throw new ArgumentException($"shape [{string.Join(", ", extents.ToArray())}] has a negative extent");
            count *= extent;
            if (count > int.MaxValue) throw new ArgumentException($"shape [{string.Join(", ", extents.ToArray())}] has 2^31 elements or more");
        }

        this.extents = extents.ToArray();
        Elements = (int)count;
    }

    /// <summary>Number of axes.</summary>
    public int Rank => extents?.Length ?? 0;

    /// <summary>Number of elements. (Not called Count: the compiler would take that for the number of extents in a collection expression.)</summary>
    public int Elements { get => extents is null ? 1 : field; }

    /// <summary>The extents, outermost first.</summary>
    public ReadOnlySpan<int> Extents => extents;

    /// <summary>The extent of one axis.</summary>
    public int this[int axis] => extents![axis];

    /// <summary>The extent of one axis, counted from either end.</summary>
    public int this[Index axis] => extents![axis];

    /// <summary>The product of all extents but the last; 1 for rank 0.</summary>
    public int Rows
    {
        get
        {
            int rows = 1;
            for (int i = 0; i < Rank - 1; i++) rows *= extents![i];
            return rows;
        }
    }

    /// <summary>The last extent; 1 for rank 0.</summary>
    public int Columns => Rank == 0 ? 1 : extents![^1];

    /// <summary>Makes a shape from a collection expression.</summary>
    public static Shape Create(ReadOnlySpan<int> extents) => new(extents);

    /// <summary>The same shape with one axis of another extent.</summary>
    public Shape With(int axis, int extent)
    {
        int[] copy = Extents.ToArray();
        copy[axis] = extent;
        return new Shape(copy);
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
    public override string ToString() => $"[{string.Join(", ", extents ?? [])}]";

    /// <summary>Enumerates the extents.</summary>
    public ReadOnlySpan<int>.Enumerator GetEnumerator() => Extents.GetEnumerator();

    /// <summary>Whether two shapes are the same.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Whether two shapes differ.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>The strides of a contiguous tensor of this shape, in elements.</summary>
    internal int[] ContiguousStrides()
    {
        int[] strides = new int[Rank];
        int stride = 1;
        for (int i = Rank - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= Math.Max(extents![i], 1);
        }

        return strides;
    }

    /// <summary>The shape two operands broadcast to, as NumPy does it.</summary>
    /// <exception cref="ArgumentException">They don't.</exception>
    internal static Shape Broadcast(Shape a, Shape b, string op)
    {
        if (a == b) return a;
        int rank = Math.Max(a.Rank, b.Rank);
        int[] result = new int[rank];
        for (int i = 1; i <= rank; i++)
        {
            int x = i <= a.Rank ? a[^i] : 1;
            int y = i <= b.Rank ? b[^i] : 1;
            if (x != y && x != 1 && y != 1) throw new ArgumentException($"{op}: shapes {a} and {b} don't broadcast");
            result[rank - i] = x == 1 ? y : x;
        }

        return new Shape(result);
    }
}
