namespace LoRA2.Native.Tensors;

/// <summary>
/// One part of an index into a tensor, <c>x[1..3, ^1]</c>: a position, a range, all of an axis, a new axis, the axes between, or a tensor of positions or truth values.
/// </summary>
public readonly struct TensorIndex
{
    private TensorIndex(TensorIndexKind kind, Index start = default, Index end = default, int step = 1, Tensor? tensor = null) =>
        (Kind, Start, End, Step, Tensor) = (kind, start, end, step, tensor);

    internal TensorIndexKind Kind { get; }

    internal Index Start { get; }

    internal Index End { get; }

    internal int Step { get; }

    internal Tensor? Tensor { get; }

    /// <summary>All of an axis.</summary>
    public static TensorIndex All => Range.All;

    /// <summary>A new axis of extent 1.</summary>
    public static TensorIndex NewAxis => new(TensorIndexKind.NewAxis);

    /// <summary>As many whole axes as are not named otherwise.</summary>
    public static TensorIndex Ellipsis => new(TensorIndexKind.Ellipsis);

    /// <summary>A position; −1 is the last.</summary>
    public static implicit operator TensorIndex(int position) => FromInt32(position);

    /// <summary>A position.</summary>
    public static implicit operator TensorIndex(Index position) => FromIndex(position);

    /// <summary>Positions from the first to before the second; what lies beyond the axis is left out.</summary>
    public static implicit operator TensorIndex(Range range) => FromRange(range);

    /// <summary>Positions (Int32 or Int64), or a mask (Bool) over as many axes as it has.</summary>
    public static implicit operator TensorIndex(Tensor tensor) => FromTensor(tensor);

    /// <summary>A position; −1 is the last.</summary>
    public static TensorIndex FromInt32(int position) => new(TensorIndexKind.Position, position < 0 ? ^-position : position);

    /// <summary>A position.</summary>
    public static TensorIndex FromIndex(Index position) => new(TensorIndexKind.Position, position);

    /// <summary>Positions from the first to before the second; what lies beyond the axis is left out.</summary>
    public static TensorIndex FromRange(Range range) => new(TensorIndexKind.Range, range.Start, range.End);

    /// <summary>Every <paramref name="step"/>th position of a range.</summary>
    public static TensorIndex Every(int step, Range range)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        return new(TensorIndexKind.Range, range.Start, range.End, step);
    }

    /// <summary>Positions (Int32 or Int64), or a mask (Bool) over as many axes as it has.</summary>
    public static TensorIndex FromTensor(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return new(TensorIndexKind.Tensor, tensor: tensor);
    }

    /// <summary>The first position of a range on an axis, and how many there are.</summary>
    internal (int Start, int Length) On(int extent)
    {
        int start = Math.Clamp(Start.GetOffset(extent), 0, extent);
        int end = Math.Clamp(End.GetOffset(extent), start, extent);
        return (start, (end - start + Step - 1) / Step);
    }
}

/// <summary>What a <see cref="TensorIndex"/> is.</summary>
internal enum TensorIndexKind
{
    Position,
    Range,
    NewAxis,
    Ellipsis,
    Tensor,
}
