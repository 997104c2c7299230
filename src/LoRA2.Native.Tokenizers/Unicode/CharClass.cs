namespace LoRA2.Native.Tokenizers.Unicode;

/// <summary>What the BERT tokenizers ask of a character's general category.</summary>
internal enum CharClass : byte
{
    /// <summary>Any other category.</summary>
    Other,

    /// <summary>Cc, Cf, Co, Cs, and Cn where the imitated tokenizer counts unassigned code points.</summary>
    Control,

    /// <summary>Pc, Pd, Ps, Pe, Pi, Pf, Po.</summary>
    Punctuation,

    /// <summary>Mn.</summary>
    NonspacingMark,

    /// <summary>Zs.</summary>
    SpaceSeparator,
}
