using System.Text.Json.Nodes;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Onnx;

/// <summary>The files of the tokenizer that an imported encoder was trained with.</summary>
internal sealed class ImportedTokenizer
{
    private const string Words = "vocab.txt";
    private const string Settings = "tokenizer_config.json";

    private readonly Tokenizer tokenizer;
    private readonly string source;

    private ImportedTokenizer(string source, Dictionary<string, byte[]> files, string note)
    {
        (this.source, Files) = (source, files);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lora2-import-");
        try
        {
            foreach ((string name, byte[] bytes) in files) File.WriteAllBytes(Path.Combine(folder.FullName, name), bytes);
            tokenizer = Tokenizer.FromFolder(folder.FullName);
        }
        catch (InputException e)
        {
            // The copies are nowhere that anybody knows.
            throw new InputException(e.Message.Replace(folder.FullName, Directory.Exists(source) ? source : Path.GetDirectoryName(source), StringComparison.Ordinal), e);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        Description = $"{source}: {tokenizer.VocabularySize:N0} tokens{note}";
    }

    /// <summary>What a folder needs of it, by name.</summary>
    public IReadOnlyDictionary<string, byte[]> Files { get; }

    /// <summary>Where it is from, and what had to be guessed.</summary>
    public string Description { get; }

    /// <summary>The padding token, or null.</summary>
    public int? PadId => tokenizer.PadId;

    /// <summary>Finds the files, see <see cref="OnnxImportOptions.Vocabulary"/>.</summary>
    /// <exception cref="InputException">There are none, or they are no tokenizer's.</exception>
    public static ImportedTokenizer Find(string model, string? given)
    {
        string? place = given ?? new[] { "tokenizer.json", Words, "vocab.json", "spm.model", "sentencepiece.bpe.model", "spiece.model" }.Select(name => OnnxImport.Beside(model, name)).OfType<string>().Select(Path.GetDirectoryName).FirstOrDefault();
        if (place is null) throw new InputException($"{model}: there is no tokenizer beside it; --vocab with a vocab.txt, a tokenizer.json or a folder was expected");
        if (Directory.Exists(place)) return new ImportedTokenizer(place, In(place), "");
        if (!File.Exists(place)) throw new InputException($"'{place}' does not exist; a vocab.txt, a tokenizer.json or a folder with a tokenizer was expected");
        string name = Path.GetExtension(place) switch { ".json" => "tokenizer.json", ".model" => Path.GetFileName(place) is "sentencepiece.bpe.model" or "spiece.model" ? Path.GetFileName(place) : "spm.model", _ => Words };
        byte[] bytes = RegularFile.ReadAllBytes(place);
        Dictionary<string, byte[]> files = In(Path.GetDirectoryName(Path.GetFullPath(place))!);
        foreach (string other in (string[])["tokenizer.json", "spm.model", "sentencepiece.bpe.model", "spiece.model", "vocab.json", "merges.txt", Words]) files.Remove(other);
        files[name] = bytes;
        if (name != Words || files.ContainsKey(Settings)) return new ImportedTokenizer(place, files, "");
        bool isLower = IsLower(bytes);
        files[Settings] = Text(new JsonObject { ["do_lower_case"] = isLower, ["tokenizer_class"] = "BertTokenizer" });
        return new ImportedTokenizer(place, files, isLower ? ", lower case as all of them are" : ", case kept as some have it");
    }

    /// <exception cref="InputException">The encoder has fewer words than the tokenizer.</exception>
    public void Require(EncoderConfig config)
    {
        if (tokenizer.VocabularySize > config.VocabularySize)
            throw new InputException($"{source}: the tokenizer has {tokenizer.VocabularySize} tokens and the encoder's table {config.VocabularySize} rows; at most as many were expected");
    }

    private static Dictionary<string, byte[]> In(string folder) =>
        ModelFolder.TokenizerFiles.Where(name => File.Exists(Path.Combine(folder, name))).ToDictionary(name => name, name => RegularFile.ReadAllBytes(Path.Combine(folder, name)));

    private static byte[] Text(JsonObject json) => System.Text.Encoding.UTF8.GetBytes(json.ToJsonString() + "\n");

    /// <summary>Whether no piece, but for special ones in brackets, has a capital letter of the Latin alphabet.</summary>
    private static bool IsLower(byte[] vocabulary)
    {
        foreach (string line in System.Text.Encoding.UTF8.GetString(vocabulary).Split('\n'))
        {
            if (!line.StartsWith('[') && line.Any(char.IsAsciiLetterUpper)) return false;
        }

        return true;
    }
}
