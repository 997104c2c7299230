using LoRA2.Native.Tokenizers.Bpe;
using LoRA2.Native.Tokenizers.WordPiece;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>What encodes one word of a tokenizer.json's pre-tokenized text.</summary>
internal abstract class TextModel
{
    /// <summary>Appends the tokens of a word that is not empty.</summary>
    public abstract void Encode(ReadOnlySpan<char> word, Scratch scratch, TokenSink sink);
}

/// <summary>Byte-pair encoding over characters.</summary>
internal sealed class BpeTextModel(BpeModel model) : TextModel
{
    public override void Encode(ReadOnlySpan<char> word, Scratch scratch, TokenSink sink) => model.EncodeChars(word, scratch, sink);
}

/// <summary>WordPiece.</summary>
internal sealed class WordPieceTextModel(WordPieceModel model) : TextModel
{
    public override void Encode(ReadOnlySpan<char> word, Scratch scratch, TokenSink sink) => model.Encode(word, scratch, sink);
}
