using System.Diagnostics;
using LoRA2.Native.Data;
using LoRA2.Native.Training;

namespace LoRA2.Native.TensorBoard;

/// <summary>
/// Writes a run as TensorBoard curves while it goes on. There is one event file for one run: what an earlier process wrote, perhaps of steps that no checkpoint has, is
/// replaced by what the checkpoint knows. Values written again have the time of that, not of their step.
/// </summary>
public sealed class TensorBoardLog : IProgress<TrainingProgress>, IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly Trainer trainer;
    private readonly EventFile file;
    private readonly Stopwatch sinceFlush = Stopwatch.StartNew();
    private int points;
    private int snapshots;
    private int evaluations;

    /// <summary>Starts with what the trainer has behind it, which is much after <see cref="Trainer.Resume"/>.</summary>
    /// <param name="folder">The folder; event files of earlier runs in it are deleted.</param>
    /// <param name="trainer">The run.</param>
    /// <exception cref="IOException">The disk refused.</exception>
    public TensorBoardLog(string folder, Trainer trainer)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(trainer);
        this.trainer = trainer;
        EventFile.DeleteIn(folder);
        file = new EventFile(folder);
        try
        {
            WriteNew();
            file.Flush();
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        WriteNew();
        if (value.Evaluation is null && sinceFlush.Elapsed < Pause) return;
        file.Flush();
        sinceFlush.Restart();
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        using (file) WriteNew();
    }

    private void WriteNew()
    {
        TrainingSeries series = trainer.Series;
        // The last point of a stretch of steps changes until the stretch or the run ends.
        for (; points < series.Count; points++)
        {
            SeriesPoint point = series[points];
            if (point.Step % series.Stride != 0 && point.Step != trainer.TotalSteps) break;
            file.Scalar("train/loss", point.Step, point.Loss);
            if (point.Regulariser != 0) file.Scalar("train/regulariser", point.Step, point.Regulariser);
            file.Scalar("train/learning_rate", point.Step, point.LearningRate);
            file.Scalar("train/gradient_norm", point.Step, point.GradientNorm);
            if (point.Budget is { } budget) file.Scalar("ranks/budget", point.Step, budget);
        }

        for (; snapshots < (series.Ranks?.Count ?? 0); snapshots++) Write(series.Ranks!, snapshots);
        for (; evaluations < trainer.Evaluations.Count; evaluations++)
        {
            EvaluationPoint evaluation = trainer.Evaluations[evaluations];
            foreach (MetricValue metric in evaluation.Metrics) file.Scalar($"dev/{metric.Name}", evaluation.Step, metric.Value);
        }
    }

    private void Write(RankSeries ranks, int snapshot)
    {
        int step = ranks.StepOf(snapshot);
        file.Scalar("ranks/kept", step, ranks.TotalKept(snapshot));
        for (int matrix = 0; matrix < ranks.Modules.Count; matrix++)
        {
            file.Scalar($"kept/{ranks.Modules[matrix]}", step, ranks.Kept(snapshot, matrix));
            file.Scalar($"importance/{ranks.Modules[matrix]}", step, ranks.Importance(snapshot, matrix));
        }
    }
}
