namespace LoRA2.Native.Tokenizers;

/// <summary>
/// The added tokens of a Python tokenizer: those its files list, then its special tokens, which get ids behind the vocabulary where
/// they are in neither.
/// </summary>
internal sealed class SlowVocabulary
{
    private static readonly string[] Roles = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"];

    private SlowVocabulary(IReadOnlyList<AddedToken> tokens, SpecialTokens special)
    {
        Tokens = tokens;
        Special = special;
    }

    /// <summary>Every added token, with its id.</summary>
    public IReadOnlyList<AddedToken> Tokens { get; }

    public SpecialTokens Special { get; }

    /// <summary>Special tokens that no file has an id for, with their roles and the ids behind the vocabulary that they got.</summary>
    public IReadOnlyList<(string Role, string Token, int Id)> Appended { get; private init; } = [];

    /// <summary>No added tokens; the special ones are never found in a text.</summary>
    public static SlowVocabulary None(SpecialTokens special) => new([], special);

    /// <summary>
    /// Resolves <paramref name="settings"/> over <paramref name="defaults"/> (role to token) against the vocabulary.
    /// <paramref name="idOf"/> gives the id of a token in the vocabulary proper, <paramref name="size"/> the next id behind it.
    /// </summary>
    public static SlowVocabulary Resolve(
        TokenizerSettings settings, IReadOnlyDictionary<string, AddedToken> defaults, Func<string, int?> idOf, int size)
    {
        var byContent = new Dictionary<string, AddedToken>();
        var tokens = new List<AddedToken>();
        void Add(AddedToken token)
        {
            if (token.Content.Length == 0 || byContent.ContainsKey(token.Content))
                return;
            byContent.Add(token.Content, token);
            tokens.Add(token);
        }

        foreach (var token in settings.AddedTokens)
            Add(token);
        // As Python counts: the vocabulary and the added tokens that are not in it.
        var next = size + tokens.Count(t => idOf(t.Content) is null);
        var first = next;
        var placed = new List<(string, string, int)>();
        var roles = new Dictionary<string, string>();
        foreach (var role in Roles)
        {
            var token = defaults.GetValueOrDefault(role);
            if (settings.Special.TryGetValue(role, out var named))
                token = settings.BareSpecial.Contains(role) && token is not null ? token with { Content = named.Content } : named;
            if (token is null)
                continue;
            roles[role] = token.Content;
            Place(token);
            if (byContent.TryGetValue(token.Content, out var there) && there.Id >= first)
                placed.Add((role, token.Content, there.Id));
        }

        foreach (var token in settings.AdditionalSpecial)
            Place(token);

        void Place(AddedToken token)
        {
            token = token with { Special = true };
            if (!byContent.ContainsKey(token.Content))
                Add(token with { Id = idOf(token.Content) ?? next++ });
        }

        int? Id(string role) => roles.TryGetValue(role, out var content) && byContent.TryGetValue(content, out var t) ? t.Id : null;
        return new SlowVocabulary(tokens, new SpecialTokens
        {
            Bos = Id("bos"),
            Eos = Id("eos"),
            Unk = Id("unk"),
            Sep = Id("sep"),
            Pad = Id("pad"),
            Cls = Id("cls"),
            Mask = Id("mask"),
        })
        {
            Appended = placed,
        };
    }
}
