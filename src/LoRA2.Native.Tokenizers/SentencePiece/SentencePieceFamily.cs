using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers.SentencePiece;

/// <summary>
/// What a tokenizer class of HuggingFace makes of a SentencePiece model: the numbers of its pieces, the special tokens and where they go, and what is done to a text before. The file itself says
/// nothing of these.
/// </summary>
internal sealed record SentencePieceFamily
{
    private SentencePieceFamily(string classPrefix, string[] modelTypes) => (ClassPrefix, ModelTypes) = (classPrefix, modelTypes);

    /// <summary>DeBERTa-v2 and -v3: pieces have their own numbers.</summary>
    public static SentencePieceFamily Deberta { get; } = new("Deberta", ["deberta", "deberta-v2"])
    {
        Roles = Special("[CLS]", "[SEP]", "[UNK]", "[PAD]", new AddedToken("[MASK]") { Special = true }, isUnknownNormalized: true),
    };

    /// <summary>XLM-RoBERTa: fairseq's numbers, where four special tokens come first.</summary>
    public static SentencePieceFamily XlmRoberta { get; } = new("XLMRoberta", ["xlm-roberta"])
    {
        First = ["<s>", "<pad>", "</s>", "<unk>"],
        Offset = 1,
        HasPairOfSeparators = true,
        Roles = Special("<s>", "</s>", "<unk>", "<pad>", new AddedToken("<mask>") { Special = true, LStrip = true }),
    };

    /// <summary>CamemBERT: fairseq's numbers too, but of the special tokens those of the model are used.</summary>
    public static SentencePieceFamily Camembert { get; } = new("Camembert", ["camembert"])
    {
        First = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED"],
        Offset = 4,
        HasPairOfSeparators = true,
        Roles = Special("<s>", "</s>", "<unk>", "<pad>", new AddedToken("<mask>") { Special = true, LStrip = true }),
    };

    /// <summary>ALBERT: pieces have their own numbers; a text loses capitals, accents and spaces that follow spaces, and a comma is told apart from digits before it.</summary>
    public static SentencePieceFamily Albert { get; } = new("Albert", ["albert"])
    {
        PreparesText = true,
        Roles = Special("[CLS]", "[SEP]", "<unk>", "<pad>", new AddedToken("[MASK]") { Special = true, LStrip = true }),
    };

    private static IReadOnlyList<SentencePieceFamily> All { get; } = [Deberta, XlmRoberta, Camembert, Albert];

    /// <summary>What the names of its classes begin with.</summary>
    public string ClassPrefix { get; }

    /// <summary>What <c>config.json</c> calls its models.</summary>
    public IReadOnlyList<string> ModelTypes { get; }

    /// <summary>The tokens with the numbers from 0 on, whatever the model has; none where pieces have their own.</summary>
    public IReadOnlyList<string> First { get; private init; } = [];

    /// <summary>What is added to the numbers of all other pieces.</summary>
    public int Offset { get; private init; }

    /// <summary>Whether two separators stand between the texts of a pair, and all types are 0.</summary>
    public bool HasPairOfSeparators { get; private init; }

    /// <summary>Whether a text is changed before SentencePiece gets it, see <see cref="AlbertText"/>.</summary>
    public bool PreparesText { get; private init; }

    /// <summary>The special tokens by role, where files name no others.</summary>
    public IReadOnlyDictionary<string, AddedToken> Roles { get; private init; } = new Dictionary<string, AddedToken>();

    /// <summary>The family that a folder's files name; DeBERTa's where they name none and the file is called as DeBERTa's.</summary>
    /// <exception cref="InputException">They name another, or none.</exception>
    public static SentencePieceFamily Of(string file, TokenizerSettings settings)
    {
        var isUsual = Path.GetFileName(file) == "spm.model";
        var name = settings.TokenizerClass is "PreTrainedTokenizer" or "PreTrainedTokenizerFast" ? null : settings.TokenizerClass;
        var found = name is not null ? All.FirstOrDefault(family => name.StartsWith(family.ClassPrefix, StringComparison.Ordinal))
            : settings.ModelType is { } type ? All.FirstOrDefault(family => family.ModelTypes.Contains(type))
            : isUsual ? Deberta : null;
        if (found is not null)
            return found;
        var says = name is not null ? $"belongs to tokenizer_class {name}" : settings.ModelType is { } model ? $"belongs to model_type {model}" : "does not say what it belongs to, and no tokenizer_config.json beside it does";
        throw new InputException(
            $"{file}: {says}; expected {string.Join(", ", All.Skip(1).Select(family => family.ClassPrefix + "Tokenizer"))} or {Deberta.ClassPrefix}V2Tokenizer, or a tokenizer.json beside it (transformers' AutoTokenizer.from_pretrained(…).save_pretrained(…) writes one).");
    }

    /// <summary>The number of each piece of a model.</summary>
    public int[] NumbersOf(SentencePieceModel model)
    {
        var first = First.Index().ToDictionary(token => token.Item, token => token.Index);
        var unknown = first.TryGetValue("<unk>", out var place) ? place : -1;
        return [.. model.Pieces.Select((piece, i) => first.TryGetValue(piece.Text, out var number) ? number : piece.Type == PieceType.Unknown && unknown >= 0 ? unknown : i + Offset)];
    }

    private static Dictionary<string, AddedToken> Special(string cls, string sep, string unknown, string pad, AddedToken mask, bool isUnknownNormalized = false)
    {
        AddedToken Token(string content, bool normalized = false) => new(content) { Special = true, Normalized = normalized };
        return new Dictionary<string, AddedToken>
        {
            ["bos"] = Token(cls),
            ["eos"] = Token(sep),
            ["unk"] = Token(unknown, isUnknownNormalized),
            ["sep"] = Token(sep),
            ["pad"] = Token(pad),
            ["cls"] = Token(cls),
            ["mask"] = mask,
        };
    }
}
