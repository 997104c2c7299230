using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Encoders;

/// <summary>
/// What of a tokenizer does not fit the model whose folder it is in: fewer tokens than the embedding has rows, as in a file that was cut, and special tokens that are others. Nothing fails of that:
/// words become unknown ones, or rows that mean something else.
/// </summary>
internal static class VocabularyDoubts
{
    /// <summary>What embeddings are padded to: powers of two, and round numbers (DeBERTa-v3 has 128,100 rows for 128,001 tokens, mDeBERTa 251,000 for 250,102).</summary>
    private static readonly int[] Paddings = [8, 16, 32, 64, 100, 128, 256, 512, 1000];

    private static readonly string[] Needed = ["cls", "sep", "pad", "unk"];

    /// <summary>Each a sentence.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="config">The model's.</param>
    /// <param name="folder">The model's, or null for one that is from none.</param>
    public static IEnumerable<string> Of(Tokenizer tokenizer, EncoderConfig config, BaseFolder? folder)
    {
        string vocabulary = folder?.Vocabulary is { } path ? path : "the tokenizer";
        if (!IsPadding(config.VocabularySize, tokenizer.TokenCount))
            yield return $"{vocabulary}: has {tokenizer.TokenCount:N0} tokens; the model's embedding has {config.VocabularySize:N0} rows, more than padding explains, so that the file may be cut or another model's, and words unknown";
        foreach ((string role, string token, int id) in tokenizer.Appended.Where(placed => Needed.Contains(placed.Role)))
            yield return $"{vocabulary}: lacks {role}_token {Quote.Name(token)}, which is put behind its tokens as {id}, a row that the model has learned nothing or something else of";
        if (folder is null) yield break;
        foreach ((string role, int? own) in ((string, int?)[])[("pad", tokenizer.PadId), ("cls", tokenizer.ClsId), ("sep", tokenizer.SepId), ("mask", tokenizer.MaskId)])
        {
            if (own is not { } id || !folder.SpecialIds.TryGetValue($"{role}_token_id", out int said) || said == id) continue;
            string there = tokenizer.HasToken(said) ? Quote.Name(tokenizer.IdToToken(said)) : "no token";
            yield return $"{folder.ConfigPath}: {role}_token_id is {said}, which is {there} of {Path.GetFileName(vocabulary)}; the tokenizer has {Quote.Name(tokenizer.IdToToken(id))}, {id}, for that, which is used";
        }
    }

    /// <summary>Whether rows without a token are what padding leaves: up to the next multiple of something usual, if that is few of all, or no more than one in 500, some of which are kept free (88 of ModernBERT's, 35 of the 250,037 of multilingual E5).</summary>
    private static bool IsPadding(int rows, int tokens)
    {
        int lacking = rows - tokens;
        return lacking <= 0 || lacking * 500L <= rows || (lacking * 16L <= rows && Paddings.Any(multiple => rows % multiple == 0 && lacking < multiple));
    }
}
