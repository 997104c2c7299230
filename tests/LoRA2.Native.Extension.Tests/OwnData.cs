using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Files;

namespace LoRA2.Native.Extension.Tests;

/// <summary>A metric: the mean of −log p of the true class; the less the better.</summary>
public sealed class LogLoss() : Metric("log_loss", MetricInput.Classes)
{
    public override bool LowerIsBetter => true;

    public override double Compute(Predictions predictions)
    {
        double sum = 0;
        for (int i = 0; i < predictions.Count; i++) sum -= Math.Log(predictions.Probabilities(i)[predictions.Labels[i]]);
        return sum / predictions.Count;
    }
}

/// <summary>A data format: <c>label: text</c>, a line an example.</summary>
public static class LabelledLines
{
    public static DataFormat Format { get; } = new("labelled lines", [".lines"], path =>
    {
        var rows = new List<TableRow>();
        foreach ((int index, string line) in File.ReadLines(path).Index())
        {
            string[] parts = line.Split(": ", 2);
            if (parts.Length != 2) throw new InputException($"{path}, line {index + 1}: there is no colon, expected a label before one.");
            rows.Add(new TableRow(index + 1, parts));
        }

        return Table.Of(path, 1, ["label", "text"], rows);
    });
}
