using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers;

/// <summary>Finds out which tokenizer a folder holds.</summary>
internal static class TokenizerFolder
{
    private static readonly string[] SentencePieceFiles = ["spm.model", "sentencepiece.bpe.model", "spiece.model"];

    /// <summary>The files that a folder's vocabulary is read from; none where it has no tokenizer.</summary>
    public static string[] VocabularyIn(string folder)
    {
        string? Found(string name) => Path.Combine(folder, name) is var path && File.Exists(path) ? path : null;
        // HuggingFace's AutoTokenizer takes tokenizer.json wherever there is one.
        if (Found("tokenizer.json") is { } json)
            return [json];
        // As DeBERTa's, XLM-RoBERTa's and CamemBERT's, and ALBERT's files are called; whose one is, its folder says.
        if (SentencePieceFiles.Select(Found).FirstOrDefault(path => path is not null) is { } spm)
            return [spm];
        if (Found("vocab.json") is { } vocab && Found("merges.txt") is { } merges)
            return [vocab, merges];
        return Found("vocab.txt") is { } words ? [words] : [];
    }

    /// <summary>The tokenizer of these files.</summary>
    /// <param name="vocabulary">As <see cref="VocabularyIn"/> gives them, at least one.</param>
    /// <param name="settings">What is said of it.</param>
    /// <exception cref="InputException">A file is damaged or asks for something unknown.</exception>
    public static Tokenizer Load(string[] vocabulary, TokenizerSettings settings)
    {
        var file = vocabulary[0];
        var found = Path.GetFileName(file) switch
        {
            "tokenizer.json" => Json.TokenizerJson.Load(file, settings),
            "vocab.json" => Bpe.ByteLevelBpeTokenizer.Load(file, vocabulary[1], settings),
            "vocab.txt" => WordPiece.WordPieceTokenizer.Load(file, settings),
            _ => SentencePiece.SentencePieceTokenizer.Load(file, settings),
        };
        found.ModelMaxLength = settings.ModelMaxLength;
        return found;
    }

    /// <summary>Loads it; see <see cref="Tokenizer.FromFolder"/>.</summary>
    public static Tokenizer Load(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (!Directory.Exists(folder))
            throw new InputException($"{folder}: there is no such folder; expected one with a tokenizer.");
        try
        {
            if (VocabularyIn(folder) is { Length: > 0 } vocabulary)
                return Load(vocabulary, TokenizerSettings.Read(folder));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{folder}: the tokenizer cannot be read: {e.Message}", e);
        }

        catch (InvalidOperationException e)
        {
            throw new InputException($"{folder}: a JSON file of the tokenizer has text that is not valid Unicode: {e.Message}", e);
        }

        var (vocab, merges) = (Path.Combine(folder, "vocab.json"), Path.Combine(folder, "merges.txt"));
        var half = File.Exists(vocab) ? " (vocab.json is there, merges.txt is not)"
            : File.Exists(merges) ? " (merges.txt is there, vocab.json is not)" : "";
        throw new InputException(
            $"{folder}: has no tokenizer{half}; expected tokenizer.json, spm.model, sentencepiece.bpe.model, spiece.model, vocab.json and merges.txt, or vocab.txt.");
    }
}
