namespace LoRA2.Native.Encoders;

/// <summary>A part of an encoder that is given parts, which may be anybody's.</summary>
internal interface IMadeOfParts
{
    /// <summary>What it was given.</summary>
    IEnumerable<object> Parts { get; }

    /// <summary>Whether this assembly's authors wrote a part and all that it is made of; nothing is theirs too.</summary>
    static bool IsOurs(object? part) => part is null || (part.GetType().Assembly == typeof(IMadeOfParts).Assembly && (part is not IMadeOfParts made || made.Parts.All(IsOurs)));
}
