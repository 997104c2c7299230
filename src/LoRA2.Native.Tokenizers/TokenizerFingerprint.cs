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

    /// <summary>
    /// Of the files of a folder's tokenizer: SHA-256 of the vocabulary's and of what those beside it say, as far as it is followed. A <c>tokenizer.json</c> may change its padding, its truncation and its version. Null where
    /// there is no tokenizer, or one that can't be read.
    /// </summary>
    public static string? OfFiles(string folder) => Read(() =>
    {
        if (TokenizerFolder.VocabularyIn(folder) is not { Length: > 0 } vocabulary)
            return null;
        var settings = TokenizerSettings.Read(folder);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var isJson = Path.GetFileName(vocabulary[0]) == "tokenizer.json";
        HashSet<string> listed = [];
        foreach (var file in vocabulary)
        {
            var bytes = RegularFile.ReadAllBytes(file);
            if (isJson)
                AppendJson(hash, bytes, listed);
            else
                hash.AppendData(bytes);
        }

        hash.AppendData(Encoding.UTF8.GetBytes(isJson ? settings.BesideJson(listed) : settings.BesideVocabulary()));
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

    /// <summary>Hashes a tokenizer.json but for what its reader leaves to others, and lists its added tokens.</summary>
    private static void AppendJson(IncrementalHash hash, byte[] bytes, HashSet<string> listed)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 64 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            var start = (int)reader.TokenStartIndex;
            if (name == "added_tokens")
            {
                using var tokens = JsonDocument.ParseValue(ref reader);
                foreach (var token in tokens.RootElement.ValueKind == JsonValueKind.Array ? tokens.RootElement.EnumerateArray() : default)
                {
                    if (JsonFile.Get(token, "content") is { ValueKind: JsonValueKind.String } content)
                        listed.Add(content.GetString()!);
                }
            }
            else
            {
                reader.Skip();
            }

            if (name is not ("padding" or "truncation" or "version"))
                hash.AppendData(bytes.AsSpan(start, (int)reader.BytesConsumed - start));
        }
    }
}
