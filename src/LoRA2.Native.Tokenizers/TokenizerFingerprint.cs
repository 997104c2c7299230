using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers;

/// <summary>
/// Tells a folder's tokenizer from another that makes other tokens of some text: by its files, which is quick, and by what it does, for files that were saved anew in other words or in another format.
/// </summary>
internal static class TokenizerFingerprint
{
    /// <summary>The files that say something of a vocabulary, and that a folder without one may have.</summary>
    private static readonly string[] SettingsFiles = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];

    private static readonly string[] VocabularyFiles = ["tokenizer.json", "spm.model", "sentencepiece.bpe.model", "spiece.model", "vocab.json", "merges.txt", "vocab.txt"];

    /// <summary>Of the files of a folder's tokenizer and of what is said beside them, byte for byte: another one may still do the same. Null where there is no tokenizer, or one that can't be read.</summary>
    public static string? OfFiles(string folder) => Read(() =>
    {
        if (TokenizerFolder.VocabularyIn(folder) is not { Length: > 0 } vocabulary)
            return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // Where tokenizer_config.json names no class, config.json does.
        foreach (var file in vocabulary.Concat(SettingsFiles.Append("config.json").Select(name => Path.Combine(folder, name))).Where(File.Exists))
        {
            var bytes = RegularFile.ReadAllBytes(file);
            hash.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(file)} {bytes.Length}\n"));
            hash.AppendData(bytes);
        }

        return Convert.ToHexString(hash.GetHashAndReset())[..32];
    });

    /// <summary>Of what a folder's tokenizer does (<see cref="Tokenizer.Behaviour"/>); null where there is none, or one that can't be read.</summary>
    public static string? OfBehaviour(string folder) => Read(() => TokenizerFolder.VocabularyIn(folder) is { Length: > 0 } ? Tokenizer.FromFolder(folder).Behaviour() : null);

    private static string? Read(Func<string?> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InputException or IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            // Who needs the tokenizer reads it too, and says what is wrong with it.
            return null;
        }
    }

    /// <summary>What of a folder's tokenizer is not as another folder has it, as a file's name; null where nothing is: no file, or files that make the same tokens of the same texts.</summary>
    /// <param name="folder">A folder that may have a tokenizer, or only some files of one.</param>
    /// <param name="other">The folder whose tokenizer is used.</param>
    public static string? DifferenceIn(string folder, string other)
    {
        string[] there = [.. VocabularyFiles.Concat(SettingsFiles).Where(name => File.Exists(Path.Combine(folder, name)))];
        if (there.Length == 0 || TokenizerFolder.VocabularyIn(other) is not { Length: > 0 } known)
            return null;
        try
        {
            if (there.FirstOrDefault(name => !IsSame(Path.Combine(folder, name), Path.Combine(other, name))) is not { } first)
                return null;
            // Files are saved anew in other words, or in another format, and mean the same.
            var vocabulary = TokenizerFolder.VocabularyIn(folder) is { Length: > 0 } own ? own : known;
            var settings = TokenizerSettings.Read(name => there.Contains(name) ? Path.Combine(folder, name) : Path.Combine(other, name));
            return TokenizerFolder.Load(vocabulary, settings).Behaviour() == TokenizerFolder.Load(known, TokenizerSettings.Read(other)).Behaviour() ? null : first;
        }
        catch (Exception e) when (e is InputException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return there[0];
        }
    }

    private static bool IsSame(string path, string other) => File.Exists(other) && RegularFile.ReadAllBytes(path).AsSpan().SequenceEqual(RegularFile.ReadAllBytes(other));
}
