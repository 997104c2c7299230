using LoRA2.Native.Data.Tables;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Labels;

/// <summary>
/// The lists of labels of a table's rows: names, or a 0 or 1 for each label in their order ("multi-hot", as scikit-learn's <c>MultiLabelBinarizer</c> writes them). They are the latter where every row has as many
/// entries, two at least, and all are 0 or 1.
/// </summary>
internal sealed class LabelLists
{
    private readonly LabelledTable texts;
    private readonly IReadOnlyList<string>[] lists;

    /// <summary>Reads the lists of all rows.</summary>
    /// <param name="texts">The table, with a column of labels.</param>
    /// <param name="options">What is known of the labels.</param>
    /// <exception cref="InputException">A list is damaged, or some rows have a 0 or 1 for each label and others not.</exception>
    public LabelLists(LabelledTable texts, DatasetOptions options)
    {
        this.texts = texts;
        lists = texts.Lists(texts.LabelColumn!.Value, options.LabelSeparator);
        IReadOnlyList<TableRow> rows = texts.Table.Rows;
        // 0 or 1 twice in one list names no label twice: it is one entry for each label.
        int certain = Array.FindIndex(lists, list => AreBits(list) && list.Distinct(StringComparer.OrdinalIgnoreCase).Count() < list.Count);
        int width = lists[Math.Max(certain, 0)].Count;
        int other = Array.FindIndex(lists, list => list.Count != width || !AreBits(list));
        if (other >= 0)
        {
            if (certain < 0) return;
            throw texts.Error(rows[other], $"the labels are [{string.Join(", ", lists[other].Take(20))}] and those of line {rows[certain].Line} [{string.Join(", ", lists[certain].Take(20))}], a 0 or 1 for each label; expected {width} of 0 and 1 in every row");
        }

        // Where there is another number of labels, 0 and 1 are two of them by number or name, as far as they are any.
        if (certain < 0 && (options.LabelNames ?? options.LabelMap?.Names) is { } names && names.Count != width) return;
        Width = width;
    }

    /// <summary>How many labels have a 0 or 1 in every row; 0 where rows list names.</summary>
    public int Width { get; }

    /// <summary>The names of the labels that are found: in ordinal order, or LABEL_0, LABEL_1, … where the lists are 0 and 1.</summary>
    public IReadOnlyList<string> Found => Width > 0
        ? [.. Enumerable.Range(0, Width).Select(i => $"LABEL_{i}")]
        : [.. lists.SelectMany(list => list).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>The data set.</summary>
    /// <param name="names">The labels.</param>
    /// <param name="isMapped">Whether there is a label map, which then says what the places are called.</param>
    /// <exception cref="InputException">A label is none of them, or there are not as many.</exception>
    public Dataset Dataset(IReadOnlyList<string> names, bool isMapped)
    {
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        if (Width > 0)
        {
            if (Width != names.Count) throw texts.Error(texts.Table.Rows[0], $"the list is {Width} of 0 and 1, one for each label, expected {names.Count}: {string.Join(", ", names.Take(20).Select(Quote.Plain))}");
            texts.Say($"the lists of {Width} are read as a 0 or 1 for each label: {string.Join(", ", names.Take(20).Select(Quote.Plain))}{(names.Count > 20 ? ", …" : "")}");
        }

        int next = 0;
        return texts.Dataset(names, row =>
        {
            float[] targets = new float[names.Count];
            IReadOnlyList<string> list = lists[next++];
            for (int i = 0; i < list.Count; i++)
            {
                if (Width == 0) targets[texts.ClassOf(row, list[i], names, known)] = 1;
                else if (BitOf(list[i]) == 1) targets[isMapped ? texts.ClassOf(row, $"{i}", names, known) : i] = 1;
            }

            return texts.Example(row) with { Targets = targets };
        });
    }

    /// <summary>0 or 1, or null for what is neither.</summary>
    internal static int? BitOf(string text) => text.Trim() switch
    {
        "0" or "0.0" or "false" or "False" => 0,
        "1" or "1.0" or "true" or "True" => 1,
        _ => null,
    };

    private static bool AreBits(IReadOnlyList<string> list) => list.Count > 1 && list.All(item => BitOf(item) is not null);
}
