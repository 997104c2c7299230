
namespace LoRA2.Native.Tokenizers.SentencePiece;

/// <summary>The best path to every byte position of a text, and room for walking it back.</summary>
internal sealed class Lattice
{
    public Node[] Nodes { get; private set; } = [];

    public DoubleNode[] DoubleNodes { get; private set; } = [];

    /// <summary>(start, end, id) of the pieces on the best path, last first.</summary>
    public List<(int Start, int End, int Id)> Path { get; } = [];

    public void Reset(int length)
    {
        Path.Clear();
        if (Nodes.Length <= length)
            Nodes = new Node[Math.Max(length + 1, 2 * Nodes.Length)];
        Nodes.AsSpan(0, length + 1).Fill(new Node { Start = -1 });
    }

    public void ResetDouble(int length)
    {
        Path.Clear();
        if (DoubleNodes.Length <= length)
            DoubleNodes = new DoubleNode[Math.Max(length + 1, 2 * DoubleNodes.Length)];
        DoubleNodes.AsSpan(0, length + 1).Fill(new DoubleNode { Start = -1 });
    }

    /// <summary>The best path that ends here, with scores as SentencePiece keeps them.</summary>
    public struct Node
    {
        public float Score;
        public int Start;
        public int Id;
    }

    /// <summary>The best path that ends here, with scores as the Rust tokenizers keep them.</summary>
    public struct DoubleNode
    {
        public double Score;
        public int Start;
        public int Id;
    }
}
