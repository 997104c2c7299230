using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Adapters;

/// <summary>The names that the paper's table and the command line use.</summary>
public static class OrthogonalityKinds
{
    private static readonly (string Name, OrthogonalityKind Kind)[] Names =
    [
        ("none", OrthogonalityKind.None), ("uv", OrthogonalityKind.Left), ("UV", OrthogonalityKind.Right), ("uv+UV", OrthogonalityKind.Planes),
        ("PQ", OrthogonalityKind.Products), ("all", OrthogonalityKind.All),
    ];

    /// <summary>The names in order.</summary>
    public static IEnumerable<string> All => Names.Select(entry => entry.Name);

    /// <summary>The kind of that name; case tells uv and UV apart.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static OrthogonalityKind Parse(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach ((string known, OrthogonalityKind kind) in Names)
        {
            if (known == name) return kind;
        }

        throw new InputException($"there is no regulariser '{name}'; there are {string.Join(", ", All)}");
    }

    /// <summary>The name of a kind.</summary>
    public static string NameOf(OrthogonalityKind kind) => Array.Find(Names, entry => entry.Kind == kind).Name ?? kind.ToString();
}
