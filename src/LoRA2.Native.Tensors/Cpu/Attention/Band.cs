namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>
/// How a block of scores lies against the distances: its element (r, j), 0 ≤ j &lt; <see cref="Count"/>, belongs to distance number
/// x = j − r + <see cref="Offset"/>. Seen by (r, x) the block is sheared: a step of one row more plus one element, and no copy.
/// </summary>
/// <param name="Rows">Rows of the block.</param>
/// <param name="Count">Columns of the block.</param>
/// <param name="Offset">Number of the distance of element (0, 0).</param>
internal readonly record struct Band(int Rows, int Count, int Offset)
{
    /// <summary>The smallest distance number in the block.</summary>
    public int First => Offset - (Rows - 1);

    /// <summary>One more than the largest.</summary>
    public int End => Count + Offset;
}
