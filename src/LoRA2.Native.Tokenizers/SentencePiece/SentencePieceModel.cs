namespace LoRA2.Native.Tokenizers.SentencePiece;

/// <summary>The kinds of pieces, as numbered in SentencePiece's model format.</summary>
internal enum PieceType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>One entry of the vocabulary.</summary>
internal readonly record struct Piece(string Text, float Score, PieceType Type);

/// <summary>What of a SentencePiece model file (<c>ModelProto</c>) decides how text is encoded.</summary>
internal sealed class SentencePieceModel
{
    public List<Piece> Pieces { get; } = [];

    public bool ByteFallback { get; set; }

    public bool TreatWhitespaceAsSuffix { get; set; }

    public string BosPiece { get; set; } = "<s>";

    public string EosPiece { get; set; } = "</s>";

    public string PadPiece { get; set; } = "<pad>";

    public PrecompiledCharsMap? CharsMap { get; set; }

    public bool AddDummyPrefix { get; set; } = true;

    public bool RemoveExtraWhitespaces { get; set; } = true;

    public bool EscapeWhitespaces { get; set; } = true;
}
