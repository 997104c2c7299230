using System.Globalization;

namespace LoRA2.Native.Encoders;

/// <summary>
/// What HuggingFace calls the modules of a family's layer. Six of them are the matrices that papers on adapters name: query, key, value, attention.output, intermediate and
/// output.
/// </summary>
public sealed record LayerNames
{
    /// <summary>The papers' six names, in the order of the computation.</summary>
    public static IReadOnlyList<string> Papers { get; } = ["query", "key", "value", "attention.output", "intermediate", "output"];

    /// <summary>A layer below the encoder's prefix, with # for its number, a part of its own between dots: <c>encoder.layer.#</c>. With two of them, the first is the group's and the second its number in the group.</summary>
    public required string Layer { get; init; }

    /// <summary>Layers in a group, where layers are numbered in groups.</summary>
    public int LayersInGroup { get; init; } = 1;

    /// <summary>Makes the queries.</summary>
    public required string Query { get; init; }

    /// <summary>Makes the keys.</summary>
    public required string Key { get; init; }

    /// <summary>Makes the values.</summary>
    public required string Value { get; init; }

    /// <summary>The linear layer after the attention.</summary>
    public required string AttentionOutput { get; init; }

    /// <summary>The layer norm after (or before) the attention.</summary>
    public required string AttentionNorm { get; init; }

    /// <summary>The feed-forward's first linear layer.</summary>
    public required string Intermediate { get; init; }

    /// <summary>The feed-forward's second linear layer.</summary>
    public required string Output { get; init; }

    /// <summary>The layer norm after (or before) the feed-forward.</summary>
    public required string OutputNorm { get; init; }

    /// <summary>The path of a layer below the encoder's prefix.</summary>
    public string PathOf(int layer)
    {
        string[] parts = Layer.Split('#');
        return parts.Length == 2
            ? string.Create(CultureInfo.InvariantCulture, $"{parts[0]}{layer}{parts[1]}")
            : string.Create(CultureInfo.InvariantCulture, $"{parts[0]}{layer / LayersInGroup}{parts[1]}{layer % LayersInGroup}{parts[2]}");
    }

    /// <summary>The module that one of the papers' names stands for, or null for any other name.</summary>
    public string? ModuleOf(string paperName)
    {
        ArgumentNullException.ThrowIfNull(paperName);
        return paperName switch
        {
            "query" => Query,
            "key" => Key,
            "value" => Value,
            "attention.output" => AttentionOutput,
            "intermediate" => Intermediate,
            "output" => Output,
            _ => null,
        };
    }

    /// <summary>The papers' name of a layer's module, or null; all of them with commas between where one matrix does for several.</summary>
    public string? PaperNameOf(string module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Papers.Any(name => ModuleOf(name) == module) ? string.Join(", ", Papers.Where(name => ModuleOf(name) == module)) : null;
    }

    /// <summary>A module's path below the encoder's prefix as the number of its layer and its name in the layer; null: it is in none.</summary>
    public (int Layer, string Module)? Split(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string[] pattern = Layer.Split('.'), parts = path.Split('.');
        if (parts.Length <= pattern.Length) return null;
        int layer = 0;
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] != "#")
            {
                if (pattern[i] != parts[i]) return null;
            }
            else
            {
                if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out int number)) return null;
                layer = (layer * LayersInGroup) + number;
            }
        }

        return (layer, string.Join('.', parts[pattern.Length..]));
    }
}
