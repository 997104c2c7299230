using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers.Bpe;

/// <summary>Reads <c>vocab.json</c> and <c>merges.txt</c>.</summary>
internal static class BpeFiles
{
    /// <summary>The tokens and ids of <c>vocab.json</c>.</summary>
    /// <exception cref="InputException">An id is no whole number, or two tokens have the same.</exception>
    public static List<(string Token, int Id)> ReadVocabulary(string file)
    {
        using var document = JsonFile.Read(file);
        return ReadVocabulary(document.RootElement, file);
    }

    /// <summary>As <see cref="ReadVocabulary(string)"/>, from an object that was read.</summary>
    public static List<(string Token, int Id)> ReadVocabulary(JsonElement root, string where)
    {
        var byToken = new Dictionary<string, int>();
        var byId = new Dictionary<int, string>();
        foreach (var property in root.EnumerateObject())
        {
            var token = JsonFile.Name(property, where);
            var id = JsonFile.Index(property.Value, $"{where}['{token}']");
            if (!byToken.TryAdd(token, id))
                throw new InputException($"{where}: has the token '{token}' twice; expected each token once.");
            if (!byId.TryAdd(id, token))
                throw new InputException($"{where}: '{byId[id]}' and '{token}' both have the id {id}; expected an id each.");
        }

        if (byToken.Count == 0)
            throw new InputException($"{where}: has no tokens.");
        return [.. byToken.Select(t => (t.Key, t.Value))];
    }

    /// <summary>
    /// The merges of <c>merges.txt</c>, by rank: as in the Python tokenizer, the first line is a heading whatever it says, and what
    /// follows the last line feed does not count. An empty line is a rank without a merge.
    /// </summary>
    /// <exception cref="InputException">A line has not two symbols; the message has its number.</exception>
    public static List<(string Left, string Right)> ReadMerges(string file)
    {
        var lines = TextLines.Read(file);
        var merges = new List<(string, string)>();
        for (var i = 1; i + 1 < lines.Length; i++)
        {
            if (lines[i].Trim().Length == 0)
                merges.Add(("", ""));
            else
                merges.Add(Parse(lines[i], $"{file}, line {i + 1}"));
        }

        return merges;
    }

    /// <summary>Two symbols with white space between them.</summary>
    public static (string Left, string Right) Parse(string line, string where)
    {
        var parts = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 2)
            return (parts[0], parts[1]);
        var shown = line.Length > 60 ? line[..60] + "…" : line;
        throw new InputException($"{where}: '{shown}' has {parts.Length} symbols; expected a merge of two, with a space between.");
    }
}
