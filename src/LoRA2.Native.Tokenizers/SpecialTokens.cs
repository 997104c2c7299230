namespace LoRA2.Native.Tokenizers;

/// <summary>The ids of the tokens with a role; null where the tokenizer has none.</summary>
internal sealed record SpecialTokens
{
    public int? Bos { get; init; }

    public int? Eos { get; init; }

    public int? Unk { get; init; }

    public int? Sep { get; init; }

    public int? Pad { get; init; }

    public int? Cls { get; init; }

    public int? Mask { get; init; }
}
