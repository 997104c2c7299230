using System.Globalization;
using System.Text;
using System.Xml.Linq;
using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Training;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>What became of the singular values or gates of each matrix: how many are left, and how important they were.</summary>
internal sealed class RankCharts
{
    private const int Levels = 10;

    private readonly TrainingSeries series;
    private readonly RankSeries ranks;
    private readonly Axis steps;
    private readonly string noun;

    // Matrices in the order of the page: by kind as the paper lists them, then by layer; as places in the series.
    private readonly (int Index, int Layer, string Matrix)[] matrices;

    /// <param name="series">The run's, with ranks.</param>
    /// <param name="steps">The horizontal axis.</param>
    /// <param name="isGated">Whether gates are what is dropped, not singular values.</param>
    /// <param name="family">The encoder's, which knows where its modules are.</param>
    public RankCharts(TrainingSeries series, Axis steps, bool isGated, EncoderConfig family)
    {
        this.series = series;
        this.steps = steps;
        ranks = series.Ranks!;
        noun = isGated ? "gates" : "singular values";
        matrices = [.. Placed(ranks.Modules, family).OrderBy(place => KindOrder(place.Matrix)).ThenBy(place => place.Matrix, StringComparer.Ordinal).ThenBy(place => place.Layer)];
    }

    /// <summary>Layer × matrix: how many ranks each has left (the paper's figure 3).</summary>
    public static XElement Map(IReadOnlyList<MatrixRank> left, string noun, string which, EncoderConfig family)
    {
        (int Index, int Layer, string Matrix)[] places = [.. Placed([.. left.Select(rank => rank.Module)], family)];
        string[] kinds = [.. places.Select(place => place.Matrix).Distinct().OrderBy(KindOrder).ThenBy(kind => kind, StringComparer.Ordinal)];
        int[] layers = [.. places.Select(place => place.Layer).Distinct().Order()];
        ILookup<(string, int), MatrixRank> at = places.ToLookup(place => (place.Matrix, place.Layer), place => left[place.Index]);
        double greatest = Math.Max(1, left.Max(rank => rank.Rank));
        HeatCell Cell(int row, int column)
        {
            bool isMeanRow = row == kinds.Length, isMeanColumn = column == layers.Length;
            MatrixRank[] here = [.. places.Where(place => (isMeanRow || place.Matrix == kinds[row]) && (isMeanColumn || place.Layer == layers[column])).Select(place => left[place.Index])];
            if (isMeanRow || isMeanColumn) return new HeatCell(here.Length == 0 ? "" : here.Average(rank => rank.Effective).ToString("0.0", CultureInfo.InvariantCulture), double.NaN);
            return at[(kinds[row], layers[column])].FirstOrDefault() is { } rank
                ? new HeatCell($"{rank.Effective}", rank.Effective / greatest, Title: $"{rank.Module}: {rank.Effective} of {rank.Rank}")
                : new HeatCell("–", double.NaN);
        }

        string about = $"How many {noun} each matrix keeps of {(left.All(rank => rank.Rank == left[0].Rank) ? left[0].Rank : "those it had")}, {which}. Layers count from 1.";
        XElement table = HeatTable.Of($"{noun} left by matrix and layer", "matrix", [.. kinds, "mean"], [.. layers.Select(layer => layer < 0 ? "–" : $"{layer + 1}"), "mean"], Cell);
        return Html.Wide(Html.Figure("Rank map", about, table), HeatTable.IsWide(layers.Length + 1));
    }

    /// <summary>How many ranks each kind of matrix has left, and what the budget allows; null when nothing was ever dropped or forbidden.</summary>
    public XElement? KeptByKind()
    {
        bool hasBudget = series[0].Budget is not null;
        if (!hasBudget && ranks.TotalKept(ranks.Count - 1) == ranks.Initial.Sum()) return null;
        List<Line> lines = [.. ByKind((snapshot, matrix) => ranks.Kept(snapshot, matrix))];
        if (hasBudget) lines.Add(new Line("budget", Curve.Steps([.. series.Select(point => ((double)point.Step, point.Budget!.Value / (double)matrices.Length))]), 7, LineKind.Dashed));
        string about = $"Mean over the layers{(hasBudget ? ", after the last mask; dashed: what the budget allows a matrix on average" : "")}. {TrainingCharts.Text(ranks.Initial.Sum())} {noun} at the start.";
        return Html.Figure(
            hasBudget ? "Budget and ranks" : "Open gates", about,
            LineChart.Of($"{noun} left over all matrices: {ranks.TotalKept(0)} after step {ranks.StepOf(0)}, {ranks.TotalKept(ranks.Count - 1)} after step {ranks.StepOf(ranks.Count - 1)}", steps, Axis.Over(0, ranks.Initial.Max()), "step", lines));
    }

    /// <summary>A line of the mean importance of each kind of matrix.</summary>
    public XElement ImportanceByKind()
    {
        Line[] lines = ByKind(ranks.Importance);
        double[] values = [.. lines.SelectMany(line => line.Points).Select(point => point.Y).Where(double.IsFinite)];
        return Html.Figure(
            $"{Measure()} by matrix", $"{About()} Means over the layers.",
            LineChart.Of($"{Measure()} of {string.Join(", ", lines.Select(line => line.Name))} over the steps", steps, Axis.Over(0, values.Length == 0 ? 1 : values.Max(), 4), "step", lines));
    }

    /// <summary>A row of colour for each matrix.</summary>
    public XElement ImportanceMap()
    {
        double greatest = 0;
        foreach ((int index, _, _) in matrices)
        {
            for (int snapshot = 0; snapshot < ranks.Count; snapshot++) greatest = Math.Max(greatest, ranks.Importance(snapshot, index));
        }

        StringBuilder[] levels = [.. Enumerable.Range(0, Levels + 1).Select(_ => new StringBuilder())];
        // Cells share rounded edges, or there would be seams.
        double RowEdge(int row) => Math.Round(row * (double)ChartFrame.Height / matrices.Length, 1);
        double StepEdge(int snapshot) => Math.Round(steps.Place(snapshot < 0 ? steps.From : ranks.StepOf(snapshot)) * ChartFrame.Width, 1);
        for (int row = 0; row < matrices.Length; row++)
        {
            for (int snapshot = 0; snapshot < ranks.Count; snapshot++)
            {
                // Scores span orders of magnitude: their roots are shown.
                double share = greatest > 0 ? Math.Sqrt(ranks.Importance(snapshot, matrices[row].Index) / greatest) : 0;
                if (!double.IsFinite(share)) continue;
                levels[(int)Math.Round(share * Levels)].Append(CultureInfo.InvariantCulture, $"M{StepEdge(snapshot - 1)} {RowEdge(row)}H{StepEdge(snapshot)}V{RowEdge(row + 1)}H{StepEdge(snapshot - 1)}z");
            }
        }

        IEnumerable<XElement> cells = levels.Index().Where(level => level.Item.Length > 0).Select(level => Html.Element("path", Html.Class($"cell l{level.Index}"), Html.Attribute("d", level.Item.ToString())));
        var groups = new List<(double Place, string Text)>();
        var dividers = new StringBuilder();
        for (int row = 0; row < matrices.Length;)
        {
            int end = row;
            while (end < matrices.Length && matrices[end].Matrix == matrices[row].Matrix) end++;
            groups.Add((1 - ((row + end) / 2.0 / matrices.Length), matrices[row].Matrix));
            if (row > 0) dividers.Append(CultureInfo.InvariantCulture, $"M0 {RowEdge(row)}H{ChartFrame.Width}");
            row = end;
        }

        XElement rules = Html.Element("path", Html.Class("divider"), Html.Attribute("d", dividers.ToString()));
        XElement chart = ChartFrame.Of($"{Measure()} of {matrices.Length} matrices over the steps", steps, groups, "step", [.. cells, rules]);
        XElement figure = Html.Figure($"{Measure()} of every matrix", "A row for each layer, the first on top; the deeper the colour, the greater the value (its square root).", chart);
        if (matrices.Length > 36) figure.Add(Html.Class("wide high"));
        return figure;
    }

    /// <summary>A line of the mean of something over the layers for each kind of matrix.</summary>
    private Line[] ByKind(Func<int, int, double> value) => [.. matrices.GroupBy(place => place.Matrix).Select((kind, i) => new Line(
        kind.Key, [.. Enumerable.Range(0, ranks.Count).Select(snapshot => ((double)ranks.StepOf(snapshot), kind.Average(place => value(snapshot, place.Index))))], 1 + (i % 6)))];

    private string Measure() => ranks.IsScored ? "Importance" : noun == "gates" ? "Gates" : "Singular values";

    private string About() => ranks.IsScored ? "The score that the budget prunes by, averaged over a matrix's singular values." : $"Mean magnitude of a matrix's {noun}.";

    private static IEnumerable<(int Index, int Layer, string Matrix)> Placed(IReadOnlyList<string> modules, EncoderConfig family) => modules.Select((module, i) =>
    {
        (int layer, string matrix) = family.PlaceOf(module);
        return (i, layer, matrix);
    });

    private static int KindOrder(string matrix) => TargetModules.AllSix.Contains(matrix) ? TargetModules.AllSix.Index().First(name => name.Item == matrix).Index : TargetModules.AllSix.Count;
}
