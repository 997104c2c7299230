using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>Which class was taken for which on the development data.</summary>
internal sealed class ConfusionMatrix
{
    /// <summary>Classes up to which each cell is a number; beyond, a picture and the most frequent mistakes.</summary>
    private const int MostInTable = 24;

    private const int MostWithShares = 12;
    private const int MistakesShown = 20;

    private readonly IReadOnlyList<string> labels;
    private readonly int[,] counts;
    private readonly int[] actual;
    private readonly int[] predicted;

    /// <param name="labels">The classes.</param>
    /// <param name="pairs">For each example the true class and the predicted one.</param>
    public ConfusionMatrix(IReadOnlyList<string> labels, IEnumerable<(int Actual, int Predicted)> pairs)
    {
        this.labels = labels;
        counts = new int[labels.Count, labels.Count];
        actual = new int[labels.Count];
        predicted = new int[labels.Count];
        foreach ((int truth, int answer) in pairs)
        {
            counts[truth, answer]++;
            actual[truth]++;
            predicted[answer]++;
        }
    }

    /// <summary>The matrix itself.</summary>
    public XElement Matrix() => labels.Count <= MostInTable ? Table() : Picture();

    private XElement Table()
    {
        bool hasShares = labels.Count <= MostWithShares;
        HeatCell Cell(int row, int column)
        {
            int count = counts[row, column];
            if (count == 0) return new HeatCell("", 0);
            double share = count / (double)actual[row];
            return new HeatCell(Text(count), share, hasShares ? Percent(share) : null, $"{Text(count)} of {Text(actual[row])} {labels[row]} taken for {labels[column]} ({Percent(share)})", row != column);
        }

        string about = $"Rows: the true class; columns: the predicted one.{(hasShares ? " Counts, and shares of the row." : "")}";
        return Html.Wide(Html.Figure("Confusion matrix", about, HeatTable.Of("Examples by true and predicted class", "true", labels, labels, Cell)), HeatTable.IsWide(labels.Count));
    }

    private XElement Picture()
    {
        var right = new StringBuilder();
        var wrong = new StringBuilder[10];
        for (int row = 0; row < labels.Count; row++)
        {
            for (int column = 0; column < labels.Count; column++)
            {
                if (counts[row, column] == 0) continue;
                string square = string.Create(CultureInfo.InvariantCulture, $"M{column} {row}h1v1h-1z");
                if (row == column) right.Append(square);
                else (wrong[Math.Min(9, (int)(10.0 * counts[row, column] / actual[row]))] ??= new StringBuilder()).Append(square);
            }
        }

        XElement svg = Html.Element(
            "svg", Html.Class("matrix"), Html.Attribute("viewBox", $"0 0 {labels.Count} {labels.Count}"), Html.Attribute("role", "img"),
            Html.Attribute("aria-label", $"Confusion matrix of {labels.Count} classes; the most frequent mistakes are in the table below"),
            Html.Element("path", Html.Class("cell l7"), Html.Attribute("d", right.ToString())),
            wrong.Index().Where(level => level.Item is not null).Select(level => Html.Element("path", Html.Class($"cell wrong l{level.Index + 1}"), Html.Attribute("d", level.Item.ToString()))));
        return Html.Figure(
            "Confusion matrix", $"{labels.Count} classes in the order of the labels; down: the true class, across: the predicted one. Mistakes are the deeper the greater their share of the row.", svg);
    }

    /// <summary>The most frequent ones; null when nothing was mistaken.</summary>
    public XElement? Mistakes()
    {
        (int Row, int Column)[] mistakes =
        [
            .. Enumerable.Range(0, labels.Count).SelectMany(row => Enumerable.Range(0, labels.Count).Where(column => row != column && counts[row, column] > 0).Select(column => (row, column)))
                .OrderByDescending(cell => counts[cell.row, cell.column]).Take(MistakesShown),
        ];
        if (mistakes.Length == 0) return null;
        IEnumerable<IReadOnlyList<object?>> rows = mistakes.Select(cell => (IReadOnlyList<object?>)
            [Html.Foreign(labels[cell.Row]), Html.Foreign(labels[cell.Column]), Text(counts[cell.Row, cell.Column]), Percent(counts[cell.Row, cell.Column] / (double)actual[cell.Row])]);
        return Html.Figure("Most frequent mistakes", null, Html.Table(["true", "predicted", "examples", "of the class"], labels.Count <= MostInTable ? rows.Take(8) : rows, 2, 3));
    }

    /// <summary>Precision and recall of each class.</summary>
    public XElement Classes()
    {
        IEnumerable<IReadOnlyList<object?>> rows = labels.Select((label, i) =>
        {
            double precision = counts[i, i] / (double)predicted[i], recall = counts[i, i] / (double)actual[i], f1 = 2.0 * counts[i, i] / (predicted[i] + actual[i]);
            return (IReadOnlyList<object?>)[Html.Foreign(label), Text(actual[i]), Text(predicted[i]), Share(precision), Share(recall), Share(f1)];
        });
        XElement table = Html.Table(["class", "examples", "predicted", "precision", "recall", "F1"], rows, 1, 2, 3, 4, 5);
        return Html.Figure("By class", null, labels.Count <= MostInTable ? table : Html.Details($"All {labels.Count} classes", table));
    }

    private static string Share(double value) => double.IsFinite(value) ? value.ToString("F3", CultureInfo.InvariantCulture) : "–";

    private static string Percent(double share) => share.ToString("0 %", CultureInfo.InvariantCulture);

    private static string Text(int number) => TrainingCharts.Text(number);
}
