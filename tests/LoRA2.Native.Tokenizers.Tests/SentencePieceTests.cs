using FsCheck;
using FsCheck.Xunit;
using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Tokenizers.SentencePiece;

namespace LoRA2.Native.Tokenizers.Tests;

public class SentencePieceTests
{
    private static readonly byte[] WithACharacterMap =
        TinyModels.Unigram(TinyModels.Pieces, TinyModels.Varint(35, 0), TinyModels.Bytes(2, [8, 0, 0, 0, 1, 4, 0, 0, 9, 9, 9, 9, 0]));

    [Fact]
    public void TheBestPathWinsAndUnknownRunsAreOneToken()
    {
        var tokenizer = SentencePieceTokenizer.Raw(Read());
        Assert.Equal(["▁the", "▁fox", "s"], tokenizer.Tokenize("the foxs"));
        Assert.Equal(["▁", "qq", "fox", "▁", "z"], tokenizer.Tokenize("  qqfox   z "));
        Assert.Equal([5, 3, 6], tokenizer.Encode("qqfox", addSpecialTokens: false));
    }

    [Fact]
    public void UserDefinedSymbolsAlwaysWin() =>
        Assert.Equal(["▁fox", "<user>", "fox"], SentencePieceTokenizer.Raw(Read()).Tokenize("fox<user>fox"));

    [Fact]
    public void HuggingFaceSplitsSpecialTokensOutAndAddsTheMask()
    {
        var tokenizer = SentencePieceTokenizer.Create(Read(), new TokenizerSettings());
        Assert.Equal(13, tokenizer.MaskId);
        Assert.Equal(14, tokenizer.VocabularySize);
        Assert.Equal([1, 4, 13, 10, 2], tokenizer.Encode("the[MASK]fox"));
        var pair = tokenizer.EncodePair("the", "fox fox", 6);
        Assert.Equal([1, 4, 2, 10, 10, 2], pair.Ids);
        Assert.Equal([0, 0, 0, 1, 1, 1], pair.TypeIds);
        Assert.Equal("the fox", tokenizer.Decode(tokenizer.Encode("the  fox")));
    }

    [Fact]
    public void ByteFallbackSpellsUnknownCharacters()
    {
        var pieces = TinyModels.Pieces.Concat(Enumerable.Range(0, 256).Select(b => ($"<0x{b:X2}>", 0f, PieceType.Byte)));
        var model = SentencePieceModelReader.Parse(TinyModels.Unigram(pieces, TinyModels.Varint(35, 1)), "m");
        var tokenizer = SentencePieceTokenizer.Raw(model);
        Assert.Equal(["▁fox", "<0xC3>", "<0xA9>", "<0xEF>", "<0xBF>", "<0xBD>"], tokenizer.Tokenize("foxé\uD800"));
        Assert.Equal("foxé", tokenizer.Decode(tokenizer.Encode("foxé", false)));
    }

    [Fact]
    public void WhitespaceOptionsAreFollowed()
    {
        var kept = SentencePieceModelReader.Parse(TinyModels.Unigram(TinyModels.Pieces, null, TinyModels.Varint(4, 0)), "m");
        Assert.Equal(["▁", "▁", "▁fox", "▁"], SentencePieceTokenizer.Raw(kept).Tokenize("  fox "));
        var bare = SentencePieceModelReader.Parse(TinyModels.Unigram(TinyModels.Pieces, null, TinyModels.Varint(3, 0)), "m");
        Assert.Equal(["fox", "▁fox"], SentencePieceTokenizer.Raw(bare).Tokenize("fox fox"));
        var suffix = SentencePieceModelReader.Parse(TinyModels.Unigram(TinyModels.Pieces, TinyModels.Varint(24, 1)), "m");
        Assert.Equal(["fox", "▁"], SentencePieceTokenizer.Raw(suffix).Tokenize("fox"));
    }

    [Theory]
    [InlineData(3, 2, "m: trainer_spec.model_type is 2 (BPE); expected 1 (unigram).")]
    [InlineData(35, 1, "m: trainer_spec.byte_fallback is true but there is no piece <0x00>; expected all 256.")]
    public void UnusableModelsAreNamed(int field, int value, string message) =>
        Assert.Equal(message, Fails(TinyModels.Unigram(TinyModels.Pieces, TinyModels.Varint(field, value))));

    [Fact]
    public void DamagedPiecesAreNamed()
    {
        (string, float, PieceType)[] twice = [.. TinyModels.Pieces, ("fox", 0, PieceType.Normal)];
        Assert.Equal("m: piece 13 ('fox') is already defined as piece 6.", Fails(TinyModels.Unigram(twice)));
        Assert.Equal("m: piece 13 is empty; expected at least one character.",
            Fails(TinyModels.Unigram([.. TinyModels.Pieces, ("", 0, PieceType.Normal)])));
        Assert.Equal("m: piece 13 has type 9; expected 1 to 6.", Fails(TinyModels.Unigram([.. TinyModels.Pieces, ("q", 0, (PieceType)9)])));
        Assert.Equal("m: no piece has type UNKNOWN; expected one.", Fails(TinyModels.Unigram([("q", 0, PieceType.Normal)])));
        Assert.Equal("m: piece 13 ('q') has the score NaN; expected a number.",
            Fails(TinyModels.Unigram([.. TinyModels.Pieces, ("q", float.NaN, PieceType.Normal)])));
        Assert.Equal("m: has no pieces; expected a SentencePiece unigram model.", Fails([]));
    }

    [Theory]
    [InlineData(new byte[] { 1, 2 }, "has 2 bytes; expected a 4-byte trie size and what it announces.")]
    [InlineData(new byte[] { 8, 0, 0, 0, 1 }, "announces a trie of 8 bytes; expected a multiple of 4 below the 1 bytes that follow.")]
    public void DamagedCharacterMapsAreNamed(byte[] blob, string message) => Assert.Equal(
        $"m: normalizer_spec.precompiled_charsmap: {message}", Fails(TinyModels.Unigram(TinyModels.Pieces, null, TinyModels.Bytes(2, blob))));

    [Fact]
    public void EveryTruncationGivesAModelOrAnInputException()
    {
        for (var length = 0; length < WithACharacterMap.Length; length++) GivesAModelOrAnInputException(WithACharacterMap[..length]);
    }

    [Property(MaxTest = 2000)]
    public void EveryDamageGivesAModelOrAnInputException(NonNegativeInt place, byte value)
    {
        var damaged = WithACharacterMap.ToArray();
        damaged[place.Get % damaged.Length] = value;
        GivesAModelOrAnInputException(damaged);
    }

    private static void GivesAModelOrAnInputException(byte[] file)
    {
        try
        {
            SentencePieceTokenizer.Raw(SentencePieceModelReader.Parse(file, "m")).Encode("the fox é <user>");
        }
        catch (InputException e)
        {
            Assert.StartsWith("m: ", e.Message);
        }
    }

    private static SentencePieceModel Read() => SentencePieceModelReader.Parse(TinyModels.Unigram(TinyModels.Pieces), "m");

    private static string Fails(byte[] file) => Assert.Throws<InputException>(() => SentencePieceModelReader.Parse(file, "m")).Message;
}
