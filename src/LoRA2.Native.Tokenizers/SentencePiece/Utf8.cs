namespace LoRA2.Native.Tokenizers.SentencePiece;

/// <summary>UTF-8 by its leading bytes.</summary>
internal static class Utf8
{
    /// <summary>How many bytes the sequence has that begins with <paramref name="lead"/>; 1 for a continuation byte.</summary>
    public static int SequenceLength(byte lead) => lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}
