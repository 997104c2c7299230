using FsCheck;
using FsCheck.Fluent;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

/// <summary>Classes predicted and true, at least one of each, from 0 to 2.</summary>
public sealed record PredictedClasses(int[] Predicted, int[] Actual)
{
    public override string ToString() => $"predicted {string.Join(' ', Predicted)}, true {string.Join(' ', Actual)}";
}

/// <summary>Scores predicted and true, at least one of each, some of them equal.</summary>
public sealed record PredictedScores(double[] Predicted, double[] Actual)
{
    public override string ToString() => $"predicted {string.Join(' ', Predicted)}, true {string.Join(' ', Actual)}";
}

/// <summary>Rows of a file of examples: pairs of texts in Unicode, each with a label.</summary>
public sealed record DrawnRows(IReadOnlyList<(string Text, string Pair, string Label)> Rows)
{
    public override string ToString() => string.Join("; ", Rows.Select(row => $"{new Text(row.Text)} {new Text(row.Pair)} {new Text(row.Label)}"));
}

/// <summary>Generators of predictions and of rows.</summary>
public static class DataArbitraries
{
    /// <summary>Shrunk to fewer.</summary>
    public static Arbitrary<PredictedClasses> Classes() => Pairs(Gen.Choose(0, 2), (predicted, actual) => new PredictedClasses(predicted, actual), drawn => (drawn.Predicted, drawn.Actual));

    /// <summary>Shrunk to fewer.</summary>
    public static Arbitrary<PredictedScores> Scores() =>
        Pairs(Gen.Choose(-20, 20).Select(quarter => quarter / 4.0), (predicted, actual) => new PredictedScores(predicted, actual), drawn => (drawn.Predicted, drawn.Actual));

    /// <summary>At least two rows and two labels; shrunk to fewer rows and shorter texts.</summary>
    public static Arbitrary<DrawnRows> Rows() => Arb.From(
        from rows in (
            from text in Valid
            from pair in Valid
            from label in Gen.Choose(0, 4)
            select (text, pair, "class " + label)).ArrayOf().Resize(12)
        select new DrawnRows([("first", "", "class 0"), ("last", "", "class 5"), .. rows]),
        drawn => Enumerable.Range(2, drawn.Rows.Count - 2).Select(at => new DrawnRows([.. drawn.Rows.Where((_, i) => i != at)]))
            .Concat(Enumerable.Range(2, drawn.Rows.Count - 2).SelectMany(at => TextArbitraries.Texts().Shrinker(new Text(drawn.Rows[at].Text))
                .Where(shorter => !shorter.Value.Any(char.IsSurrogate)).Select(shorter => new DrawnRows([.. drawn.Rows.Select((row, i) => i == at ? (shorter.Value, row.Pair, row.Label) : row)])))));

    /// <summary>Halves of surrogate pairs can't be in a file in UTF-8; a line end is a line feed to every format.</summary>
    private static Gen<string> Valid => TextArbitraries.Texts().Generator.Select(text =>
        System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text.Value)).ReplaceLineEndings("\n").Replace('\r', ' '));

    private static Arbitrary<TPair> Pairs<T, TPair>(Gen<T> values, Func<T[], T[], TPair> make, Func<TPair, (T[] Predicted, T[] Actual)> parts) => Arb.From(
        from count in Gen.Choose(1, 30)
        from predicted in values.ArrayOf(count)
        from actual in values.ArrayOf(count)
        select make(predicted, actual),
        drawn =>
        {
            (T[] predicted, T[] actual) = parts(drawn);
            return predicted.Length == 1 ? [] : Enumerable.Range(0, predicted.Length).Select(at => make([.. predicted.Where((_, i) => i != at)], [.. actual.Where((_, i) => i != at)]));
        });
}
