using System.Globalization;
using LoRA2.Native.Adapters;
using LoRA2.Native.Experiments.Comparison;
using LoRA2.Native.Experiments.Reporting;

namespace LoRA2.Native.Experiments.Reproduction;

/// <summary>How many singular values survive in each matrix of each layer, a table a run.</summary>
internal static class RankMaps
{
    public static IEnumerable<ReproducedTable> Of(ComparisonTable table) => table.Outcomes.Where(outcome => outcome.Result is { Ranks.Count: > 0 }).Select(outcome => Map(outcome.Cell, outcome.Result!));

    private static ReproducedTable Map(Cell cell, CellResult result)
    {
        IReadOnlyDictionary<string, int> ranks = result.Ranks;
        ((int Layer, string Matrix) Place, int Rank)[] places = [.. ranks.Select(rank => (result.Family.PlaceOf(rank.Key), rank.Value))];
        string[] matrices = [.. places.Select(place => place.Place.Matrix).Distinct().OrderBy(Order).ThenBy(matrix => matrix, StringComparer.Ordinal)];
        int[] layers = [.. places.Select(place => place.Place.Layer).Distinct().Order()];
        string Mean(Func<(int Layer, string Matrix), bool> which) => places.Where(place => which(place.Place)).Average(place => place.Rank).ToString("F2", CultureInfo.InvariantCulture);
        string At(int layer, string matrix) => places.Where(place => place.Place == (layer, matrix)).Select(place => $"{place.Rank}").FirstOrDefault(ReproducedTable.None);
        var rows = layers.Select(layer => (IReadOnlyList<string>)[$"{layer + 1}", .. matrices.Select(matrix => At(layer, matrix)), Mean(place => place.Layer == layer)]).ToList();
        rows.Add(["mean", .. matrices.Select(matrix => Mean(place => place.Matrix == matrix)), Mean(_ => true)]);
        int initial = int.Parse(cell.Options.First(option => option.Name == "rank").Value!, CultureInfo.InvariantCulture);
        return new ReproducedTable($"Singular values that survive: {cell}, {places.Sum(place => place.Rank)} in all", ["layer", .. matrices, "mean"], rows)
        {
            Chart = RankCharts.Map([.. ranks.Select(rank => new MatrixRank(rank.Key, initial, rank.Value))], "singular values", "in the adapter that is saved", result.Family),
        };
    }

    private static int Order(string matrix) => TargetModules.AllSix.Contains(matrix) ? TargetModules.AllSix.Index().First(name => name.Item == matrix).Index : TargetModules.AllSix.Count;
}
