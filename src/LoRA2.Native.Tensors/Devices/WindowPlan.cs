namespace LoRA2.Native.Tensors.Devices;

/// <summary>The windows along one axis: window i reads the positions i · stride + j · dilation − before, j &lt; size; those outside of the axis are padding.</summary>
/// <param name="Length">Positions of the axis.</param>
/// <param name="Size">Positions of a window.</param>
/// <param name="Stride">Distance between windows.</param>
/// <param name="Dilation">Distance between the positions of a window.</param>
/// <param name="Before">Padding before the axis.</param>
/// <param name="Count">Windows.</param>
internal readonly record struct WindowAxis(int Length, int Size, int Stride, int Dilation, int Before, int Count)
{
    /// <summary>Whether each window is the position of its number.</summary>
    public bool IsIdentity => Size == 1 && Stride == 1 && Before == 0 && Count == Length;

    /// <summary>Where window 0 reads its position <paramref name="j"/>.</summary>
    public int Start(int j) => (j * Dilation) - Before;

    /// <summary>The windows whose position <paramref name="j"/> is within the axis: First … End − 1.</summary>
    public (int First, int End) Within(int j)
    {
        int start = Start(j);
        int first = start >= 0 ? 0 : (Stride - 1 - start) / Stride;
        int end = start >= Length ? 0 : Math.Min(Count, ((Length - 1 - start) / Stride) + 1);
        return first < end ? (first, end) : (0, 0);
    }

    /// <summary>The positions of window <paramref name="i"/> that are within the axis, as numbers in the window: First … End − 1.</summary>
    public (int First, int End) Inside(int i)
    {
        int start = (i * Stride) - Before;
        int first = start >= 0 ? 0 : (Dilation - 1 - start) / Dilation;
        int end = start >= Length ? 0 : Math.Min(Size, ((Length - 1 - start) / Dilation) + 1);
        return first < end ? (first, end) : (0, 0);
    }
}

/// <summary>The windows over the last two axes.</summary>
internal readonly record struct WindowPlan(WindowAxis Down, WindowAxis Across)
{
    /// <summary>Windows of an image.</summary>
    public int Count => Down.Count * Across.Count;

    /// <summary>Positions of a window.</summary>
    public int Size => Down.Size * Across.Size;

    /// <summary>Positions of an image.</summary>
    public int Positions => Down.Length * Across.Length;

    /// <summary>Whether the matrix of the windows is the image as it lies.</summary>
    public bool IsIdentity => Down.IsIdentity && Across.IsIdentity;
}
