namespace LoRA2.Native.Encoders.Families;

/// <summary>How BERT knows positions: the values of <c>position_embedding_type</c>.</summary>
public static class PositionKinds
{
    /// <summary>A table of positions is added to the words.</summary>
    public const string Absolute = "absolute";

    /// <summary>Queries meet a table of distances in every layer (arXiv 1803.02155).</summary>
    public const string RelativeKey = "relative_key";

    /// <summary>Queries and keys do (arXiv 2009.13658, method 4).</summary>
    public const string RelativeKeyQuery = "relative_key_query";
}
