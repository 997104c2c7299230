using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers;

/// <summary>The working memory of one encoding call; a tokenizer keeps it between calls.</summary>
internal sealed class Scratch
{
    public TokenSink First { get; } = new();

    public TokenSink Second { get; } = new();

    public CharBuffer Prepared { get; } = new();

    public CharBuffer Cleaned { get; } = new();

    public CharBuffer Normalized { get; } = new();

    public ByteBuffer Utf8 { get; } = new();

    public ByteBuffer NormalizedUtf8 { get; } = new();

    public SentencePiece.Lattice Lattice { get; } = new();

    public Bpe.WordCache Words { get; } = new();

    public Bpe.SymbolList Symbols { get; } = new();

    public List<int> Nodes { get; } = [];

    public List<int> Ends { get; } = [];
}
