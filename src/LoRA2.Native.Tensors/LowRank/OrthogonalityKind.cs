namespace LoRA2.Native.Tensors.LowRank;

/// <summary>Which of LoRA2's orthogonality losses are added to the task's (arXiv 2408.06854, equation 5 and table 3).</summary>
[Flags]
public enum OrthogonalityKind
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>R(u, v), the table's "uv".</summary>
    Left = 1,

    /// <summary>R(𝒰, 𝒱), the table's "UV".</summary>
    Right = 2,

    /// <summary>R(u, v) + R(𝒰, 𝒱), the table's "uv+UV".</summary>
    Planes = Left | Right,

    /// <summary>R(P, Q), the table's "PQ".</summary>
    Products = 4,

    /// <summary>All three.</summary>
    All = Planes | Products,
}
