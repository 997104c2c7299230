using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers;

/// <summary>Finds out which tokenizer a folder holds.</summary>
internal static class TokenizerFolder
{
    /// <summary>Loads it; see <see cref="Tokenizer.FromFolder"/>.</summary>
    public static Tokenizer Load(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (!Directory.Exists(folder))
            throw new InputException($"{folder}: there is no such folder; expected one with a tokenizer.");
        var (spm, json) = (Path.Combine(folder, "spm.model"), Path.Combine(folder, "tokenizer.json"));
        var (vocab, merges) = (Path.Combine(folder, "vocab.json"), Path.Combine(folder, "merges.txt"));
        var words = Path.Combine(folder, "vocab.txt");
        try
        {
            var settings = TokenizerSettings.Read(folder);
            if (File.Exists(spm))
                return SentencePiece.SentencePieceTokenizer.Load(spm, settings);
            if (File.Exists(vocab) && File.Exists(merges))
                return Bpe.ByteLevelBpeTokenizer.Load(vocab, merges, settings);
            if (File.Exists(words))
                return WordPiece.WordPieceTokenizer.Load(words, settings);
            if (File.Exists(json))
                return Json.TokenizerJson.Load(json, settings);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{folder}: the tokenizer cannot be read: {e.Message}", e);
        }

        catch (InvalidOperationException e)
        {
            throw new InputException($"{folder}: a JSON file of the tokenizer has text that is not valid Unicode: {e.Message}", e);
        }

        var half = File.Exists(vocab) ? " (vocab.json is there, merges.txt is not)"
            : File.Exists(merges) ? " (merges.txt is there, vocab.json is not)" : "";
        throw new InputException(
            $"{folder}: has no tokenizer{half}; expected spm.model, vocab.json and merges.txt, vocab.txt, or tokenizer.json.");
    }
}
