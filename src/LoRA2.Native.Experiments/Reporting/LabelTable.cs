using System.Globalization;
using System.Xml.Linq;
using LoRA2.Native.Tasks;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>Precision and recall of each label on the development data, where there is no confusion of one with another to be shown.</summary>
internal static class LabelTable
{
    public static XElement Of(IReadOnlyList<LabelScore> scores)
    {
        IEnumerable<IReadOnlyList<object?>> rows = scores.Select(score => (IReadOnlyList<object?>)
        [
            Html.Foreign(score.Label), TrainingCharts.Text(score.Actual), TrainingCharts.Text(score.Predicted), TrainingCharts.Text(score.Right),
            Share(score.Right, score.Predicted), Share(score.Right, score.Actual), Share(2.0 * score.Right, score.Predicted + score.Actual),
        ]);
        return Html.Figure("By label", null, Html.Table(["label", "true", "predicted", "both", "precision", "recall", "F1"], rows, 1, 2, 3, 4, 5, 6));
    }

    private static string Share(double part, int whole) => whole == 0 ? "–" : (part / whole).ToString("F3", CultureInfo.InvariantCulture);
}
