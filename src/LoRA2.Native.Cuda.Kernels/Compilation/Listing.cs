using System.Text.RegularExpressions;

namespace LoRA2.Native.Cuda.Kernels.Compilation;

/// <summary>The lines of a kernel's PTX, with the lines that mention each register and each local variable.</summary>
internal sealed partial class Listing
{
    private readonly string[] lines;
    private readonly Dictionary<string, SortedSet<int>> places = new(StringComparer.Ordinal);

    public Listing(string text)
    {
        lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            foreach (Match name in Name().Matches(lines[i])) PlacesOf(name.Value).Add(i);
        }
    }

    public int Count => lines.Length;

    public string this[int index]
    {
        get => lines[index];
        set
        {
            foreach (Match name in Name().Matches(lines[index])) PlacesOf(name.Value).Remove(index);
            foreach (Match name in Name().Matches(value)) PlacesOf(name.Value).Add(index);
            lines[index] = value;
        }
    }

    /// <summary>The numbers, in order, of the lines that mention a name now.</summary>
    public int[] Mentioning(string name) => [.. PlacesOf(name)];

    public string WithoutEmptyLines() => string.Join('\n', lines.Where(line => line.Length > 0));

    private SortedSet<int> PlacesOf(string name) => places.TryGetValue(name, out SortedSet<int>? found) ? found : places[name] = [];

    [GeneratedRegex(@"%\w+|\b__local_depot\d+")]
    private static partial Regex Name();
}
