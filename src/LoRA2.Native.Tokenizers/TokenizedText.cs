namespace LoRA2.Native.Tokenizers;

/// <summary>A text as tokens.</summary>
/// <param name="Ids">Token ids, [length].</param>
/// <param name="Tokens">The tokens as the tokenizer writes them (<c>▁word</c>, <c>Ġword</c>, <c>##word</c>), [length]; an unknown
/// SentencePiece token is its text.</param>
public sealed record TokenizedText(int[] Ids, string[] Tokens);
