using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers;

/// <summary>Finds out which tokenizer a folder holds.</summary>
internal static class TokenizerFolder
{
    private static readonly string[] SentencePieceFiles = ["spm.model", "sentencepiece.bpe.model", "spiece.model"];

    /// <summary>Loads it; see <see cref="Tokenizer.FromFolder"/>.</summary>
    public static Tokenizer Load(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (!Directory.Exists(folder))
            throw new InputException($"{folder}: there is no such folder; expected one with a tokenizer.");
        var json = Path.Combine(folder, "tokenizer.json");
        // As DeBERTa's, XLM-RoBERTa's and CamemBERT's, and ALBERT's files are called; whose one is, its folder says.
        var spm = SentencePieceFiles.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        var (vocab, merges) = (Path.Combine(folder, "vocab.json"), Path.Combine(folder, "merges.txt"));
        var words = Path.Combine(folder, "vocab.txt");
        try
        {
            var settings = TokenizerSettings.Read(folder);
            Tokenizer? found = null;
            // HuggingFace's AutoTokenizer takes tokenizer.json wherever there is one.
            if (File.Exists(json))
            {
                found = Json.TokenizerJson.Load(json, settings);
            }
            else if (spm is not null)
            {
                found = SentencePiece.SentencePieceTokenizer.Load(spm, settings);
            }
            else if (File.Exists(vocab) && File.Exists(merges))
            {
                found = Bpe.ByteLevelBpeTokenizer.Load(vocab, merges, settings);
            }
            else if (File.Exists(words))
            {
                found = WordPiece.WordPieceTokenizer.Load(words, settings);
            }

            if (found is not null)
            {
                found.ModelMaxLength = settings.ModelMaxLength;
                return found;
            }
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
            $"{folder}: has no tokenizer{half}; expected tokenizer.json, spm.model, sentencepiece.bpe.model, spiece.model, vocab.json and merges.txt, or vocab.txt.");
    }
}
