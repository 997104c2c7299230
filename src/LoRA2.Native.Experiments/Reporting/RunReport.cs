using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Training;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>The page about a run, finished or not. A part that the run has nothing for is not there.</summary>
/// <param name="run">The run.</param>
public sealed class RunReport(TrainingRun run)
{
    private readonly TrainingRun run = run ?? throw new ArgumentNullException(nameof(run));
    private readonly RunData data = run.Data;
    private readonly TrainingOptions options = run.Options;
    private readonly SequenceClassifier model = run.Model;
    private readonly Trainer trainer = run.Trainer;
    private readonly AdapterMethod method = run.Options.Adapter.Method;
    private readonly Axis steps = Axis.Between(0, run.Trainer.TotalSteps);
    private MatrixRank[] ranks = [];

    /// <summary>The page as one file of HTML that loads nothing, in UTF-8; as <see cref="RunFolder.Report"/> keeps it.</summary>
    /// <param name="result">How it ended; null when it was broken off.</param>
    /// <param name="failure">Why it could not go on, or null.</param>
    public byte[] Page(TrainingResult? result, string? failure)
    {
        ranks = MatrixRank.In(model, method);
        IEnumerable<XElement?> parts = [Header(result, failure), Training(), Ranks(result), Development(), Configuration(), Footer()];
        return Reporting.Page.Of($"{data.Task}: {method.Title}", parts.OfType<XElement>());
    }

    private XElement Header(TrainingResult? result, string? failure)
    {
        long own = model.BaseParameters.Sum(parameter => (long)parameter.Count);
        EncoderConfig config = model.Config;
        string? alert = failure is not null ? $"The run failed: {failure}"
            : result is null ? $"Interrupted after step {Text(trainer.Step)} of {Text(trainer.TotalSteps)}; --resume goes on from there."
            : result.StoppedEarly ? $"Stopped early, after step {Text(result.Steps)} of {Text(trainer.TotalSteps)}: {options.Patience} evaluations without a better score."
            : null;
        return Html.Element(
            "header",
            Html.Element("p", Html.Class("kicker"), "LoRA2.Native · fine-tuning"),
            Html.Element("h1", Html.Foreign(data.Task), $" with {method.Title}"),
            Html.Element(
                "p", Html.Class("lead"), Html.Foreign(Path.GetFileName(run.ModelName.TrimEnd('/', '\\'))), $", {config.Title} with {config.Layers} layers of {config.HiddenSize} and {own.ToString("N0", CultureInfo.InvariantCulture)} parameters, trained on ",
                Html.Foreign(data.Train.Name), $": {Text(data.Train.Examples.Count)} examples, {Text(trainer.Step)} steps of {options.BatchSize}."),
            alert is null ? null : Html.Element("p", Html.Class("alert"), alert),
            Html.Element("dl", Html.Class("facts"), Facts(result, own)));
    }

    private IEnumerable<XElement> Facts(TrainingResult? result, long own)
    {
        static XElement Fact(string name, string value, string? more) =>
            Html.Element("div", Html.Element("dt", name), Html.Element("dd", value, more is null ? null : Html.Element("small", Html.Foreign(more))));
        foreach ((int i, MetricValue metric) in (trainer.Best?.Metrics ?? []).Index())
        {
            string? more = i == 0 && data.Majority() is { } majority && metric.Name == majority.Metric ? $"{TrainingCharts.Score(majority.Value)} by always answering {majority.Label}{(run.WordCounting is { } counting ? $", {TrainingCharts.Score(counting)} by counting words (naive Bayes)" : "")}" : null;
            yield return Fact(metric.Name, TrainingCharts.Score(metric.Value), metric.Note ?? more ?? (i == 0 ? $"best, after step {Text(trainer.Best!.Step)}" : null));
        }

        (long adapter, long head) = (model.AdapterParameterCount(), model.HeadParameterCount());
        string part = method.PeftType is null ? "encoder" : "adapter";
        yield return Fact("trained parameters", (adapter + head).ToString("N0", CultureInfo.InvariantCulture), string.Create(CultureInfo.InvariantCulture, $"{adapter:N0} {part} + {head:N0} head, {100.0 * (adapter + head) / own:0.##} % of the model"));
        if (ranks.Length > 0) yield return Fact(IsGated ? "open gates" : "singular values kept", Text((int)ranks.Sum(rank => rank.Effective)), $"of {Text((int)ranks.Sum(rank => rank.Rank))} in {ranks.Length} matrices");
        if (result is null) yield break;
        yield return Fact("time", ProgressText.Time(result.Duration), string.Create(CultureInfo.InvariantCulture, $"{result.TokensPerSecond:N0} tokens/s{(run.ResumedAfter > 0 ? ", since the run was resumed" : "")}"));
        yield return Fact("peak memory", string.Create(CultureInfo.InvariantCulture, $"{Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0:N0} MiB"), null);
    }

    /// <summary>Null before the first step.</summary>
    private XElement? Training()
    {
        if (trainer.Series.Count == 0) return null;
        var charts = new TrainingCharts(trainer.Series, options, steps);
        return Html.Section(
            "Training",
            Grid(charts.Loss(), charts.Metrics(trainer.Evaluations, trainer.Best, data.Majority())),
            Html.Element("div", Html.Class("grid3"), charts.LearningRate(), charts.GradientNorm(), charts.Regulariser()));
    }

    private XElement? Ranks(TrainingResult? result)
    {
        if (ranks.Length == 0) return null;
        bool isPruned = options.Budget is not null || ranks.Any(rank => rank.Effective < rank.Rank);
        string which = result?.Best is { } best ? $"in the saved weights, which are those after step {Text(best.Step)}" : $"after step {Text(trainer.Step)}";
        XElement? map = isPruned ? RankCharts.Map(ranks, IsGated ? "gates" : "singular values", which, model.Config) : null;
        if (trainer.Series.Ranks is not { Count: > 0 }) return map is null ? null : Html.Section("Ranks", Grid(map));
        var charts = new RankCharts(trainer.Series, steps, IsGated, model.Config);
        return Html.Section("Ranks", Grid(map, charts.KeptByKind(), charts.ImportanceByKind(), charts.ImportanceMap()));
    }

    /// <summary>Null without development data, and before the first evaluation.</summary>
    private XElement? Development()
    {
        if (data.Development is not { } development || trainer.BestPredictions is not { } predictions) return null;
        string of = $"Predictions of the best weights, after step {Text(trainer.Best!.Step)}, on {Text(data.Development.Examples.Count)} examples of ";
        XElement about = Html.Element("p", of, Html.Foreign(development.Name), ".");
        if (data.Kind.Input == MetricInput.Classes && data.LabelNames is { } labels)
        {
            var confusion = new ConfusionMatrix(labels, development.Examples.Select((example, i) => (example.Label, (int)predictions[i])));
            return Html.Section("Development set", about, Grid(confusion.Matrix(), Stack(confusion.Mistakes(), confusion.Classes())));
        }

        if (run.Development is { } tokens && data.LabelNames is { } names && data.Kind.ByLabel(predictions, tokens, names) is { Count: > 0 } scores) return Html.Section("Development set", about, LabelTable.Of(scores));
        if (data.Kind.Input != MetricInput.Scores) return null;
        int width = data.Outputs;
        XElement?[] scatters = [.. Enumerable.Range(0, width).Select(target => ScatterPlot.Of(
            [.. development.Examples.Select((example, i) => ((double)(example.Targets?[target] ?? example.Target ?? float.NaN), (double)predictions[(i * width) + target]))], width == 1 ? null : data.LabelNames?[target]))];
        return scatters.All(scatter => scatter is null) ? null : Html.Section("Development set", about, Grid(scatters));
    }

    private XElement Configuration() => Html.Section(
        "Configuration",
        Grid(
            SettingsTable.Of("Options", json =>
            {
                TrainingJson.WriteProperties(json, options, model.Precision);
                RunRecord.Dropout(json, model.Config);
            }),
            Stack(SettingsTable.Of("Data", json =>
            {
                json.WriteString("model", run.ModelName);
                if (run.Earlier is { } from) json.WriteString("from", Path.GetFullPath(from));
                json.WriteString("training", data.Train.Name);
                if (data.Development is { } development) json.WriteString("development", development.Name);
                foreach ((string prefix, Dataset set) in data.Further) json.WriteString($"{prefix}development", set.Name);
                RunRecord.Data(json, run);
            }),
            SettingsTable.Of("Machine", json => RunRecord.Machine(json, run)))));

    private static XElement Footer() => Html.Element(
        "footer", $"Written by lora2 {typeof(RunReport).Assembly.GetName().Version?.ToString(3)} on {DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC. The same curves are in tensorboard/, the numbers in training.json.");

    private bool IsGated => !method.HasSingularValues;

    private static XElement Grid(params IEnumerable<XElement?> figures) => Html.Element("div", Html.Class("grid2"), figures.OfType<XElement>());

    private static XElement Stack(params IEnumerable<XElement?> figures) => Html.Element("div", Html.Class("stack"), figures.OfType<XElement>());

    private static string Text(int number) => TrainingCharts.Text(number);
}
