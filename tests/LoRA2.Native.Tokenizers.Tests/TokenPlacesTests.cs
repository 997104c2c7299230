using LoRA2.Native.Tokenizers.Bpe;
using LoRA2.Native.Tokenizers.WordPiece;

namespace LoRA2.Native.Tokenizers.Tests;

/// <summary>Where tokens are in texts that are short enough to count by hand; the golden vectors have the same for real vocabularies.</summary>
public class TokenPlacesTests
{
    private static readonly Tokenizer WordPiece = WordPieceTokenizer.Create(TinyModels.WordPiece(), new TokenizerSettings());
    private static readonly Tokenizer Bpe = MakeBpe("{}");

    /// <summary>A token's characters, its word's number and its text.</summary>
    [Theory]
    [InlineData("The Café, jumps!", "0-3 0 the|4-8 1 cafe|8-9 2 ,|10-14 3 jump|14-15 3 ##s|15-16 4 !")]
    [InlineData("a中a", "0-1 0 a|1-2 1 中|2-3 2 a")]
    [InlineData("\u0001a\u200Db\t\u00A0fox", "1-2 0 a|3-4 0 ##b|6-9 1 fox")]
    [InlineData("  thex 😀b fox", "2-6 0 [UNK]|7-10 1 [UNK]|11-14 2 fox")]
    [InlineData("a[MASK]b fox", "0-1 0 a|1-7 1 [MASK]|7-8 2 b|9-12 3 fox")]
    [InlineData("(é)a", "0-1 0 [UNK]|1-2 1 [UNK]|2-3 2 [UNK]|3-4 3 a")]
    [InlineData("", "")]
    public void WordPiecesAreWhereTheirCharactersAre(string text, string expected) => Assert.Equal(expected, Shown(WordPiece.EncodePlaced(text)));

    /// <summary>Where accents stay, a letter and its accent are composed to one character, which begins where the letter did.</summary>
    [Fact]
    public void WhatFollowsAComposedCharacterIsWhereItWas()
    {
        using var folder = TinyModels.Folder(("tokenizer_config.json", "{\"strip_accents\": false}"));
        Tokenizer accented = WordPieceTokenizer.Create(TinyModels.WordPiece(), TokenizerSettings.Read(folder.Path));
        string shown = Shown(accented.EncodePlaced(" e\u0301 fox é"));
        Assert.StartsWith("1-", shown);
        Assert.EndsWith(" 0 é|4-7 1 fox|8-9 2 é", shown);
    }

    [Theory]
    [InlineData("abc the aaaaa", "0-3 0 abc|4-7 1 Ġthe|8-8 2 Ġ|8-12 2 aaaa|12-13 2 a")]
    [InlineData("é the", "0-1 0 Ã|0-1 0 ©|2-5 1 Ġthe")]
    [InlineData("a  the\n", "0-1 0 a|2-2 1 Ġ|3-6 2 Ġthe|6-7 3 Ċ")]
    public void BytePairsAreWhereTheirCharactersAre(string text, string expected) => Assert.Equal(expected, Shown(Bpe.EncodePlaced(text)));

    /// <summary>The space that is put before the text is none of it.</summary>
    [Fact]
    public void ASpaceBeforeTheTextHasNoPlace()
    {
        Tokenizer prefixed = MakeBpe("{\"add_prefix_space\": true}");
        Assert.Equal("0-3 0 Ġthe|3-4 0 a", Shown(prefixed.EncodePlaced("thea")));
        Assert.Equal(["Ġthe"], prefixed.Tokenize("the"));
        Assert.Equal(["Ġthe"], prefixed.Tokenize(" the"));
        Assert.Empty(prefixed.Tokenize(""));
        Assert.Equal(["th", "e"], Bpe.Tokenize("the"));
    }

    [Fact]
    public void TokensOfWordsCountInTheirWord()
    {
        Assert.Equal("0-3 0 the|0-3 1 fox|3-4 1 !|0-4 3 jump|4-5 3 ##s", Shown(WordPiece.EncodeWords(["The", "fox!", "", "jumps"])));
        Assert.Equal("0-0 0 Ġ|0-3 0 abc|0-3 1 Ġthe|1-4 2 Ġthe", Shown(Bpe.EncodeWords(["abc", "the", " the"])));
        PlacedInput cut = WordPiece.EncodeWords(["The", "fox!"], 4);
        Assert.Equal(["[CLS]", "the", "fox", "[SEP]"], cut.Tokens);
        Assert.True(cut.IsCut);
        Assert.False(WordPiece.EncodeWords(["The", "fox!"], 5).IsCut);
    }

    [Fact]
    public void ThePlacesOfAPairSayWhichTextTheyAreOf()
    {
        PlacedInput pair = WordPiece.EncodePlaced("fox a", "b !");
        Assert.Equal(["[CLS]", "fox", "a", "[SEP]", "b", "!", "[SEP]"], pair.Tokens);
        Assert.Equal([0, 0, 0, 0, 1, 1, 1], pair.TypeIds);
        Assert.Equal([-1, 0, 0, -1, 1, 1, -1], pair.Places.Select(place => place.Sequence));
        Assert.Equal([-1, 0, 1, -1, 0, 1, -1], pair.Places.Select(place => place.Word));
        Assert.Equal([(0, 0), (0, 3), (4, 5), (0, 0), (0, 1), (2, 3), (0, 0)], pair.Places.Select(place => (place.Start, place.End)));
        Assert.False(pair.IsCut);
        PlacedInput cut = WordPiece.EncodePlaced("fox a", "b !", 6);
        Assert.Equal(["[CLS]", "fox", "a", "[SEP]", "b", "[SEP]"], cut.Tokens);
        Assert.True(cut.IsCut);
    }

    private static string Shown(PlacedInput input) => string.Join('|', input.Tokens.Zip(input.Places).Where(token => !token.Second.IsSpecial)
        .Select(token => $"{token.Second.Start}-{token.Second.End} {token.Second.Word} {token.First}"));

    private static ByteLevelBpeTokenizer MakeBpe(string config)
    {
        using var folder = TinyModels.Folder(("tokenizer_config.json", config));
        var (vocabulary, merges) = TinyModels.Bpe();
        return ByteLevelBpeTokenizer.Create(vocabulary, merges, TokenizerSettings.Read(folder.Path), rank => $"merge {rank}");
    }
}
