using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Training;

/// <summary>What changes in the course of a run, besides parameters, moments and scores.</summary>
internal sealed class TrainingState(TrainingSeries series) : IDisposable
{
    public TrainingSeries Series => series;

    public int Step { get; set; }

    public double LastLoss { get; set; } = double.NaN;

    public double LossSum { get; set; }

    public int LossCount { get; set; }

    public bool StoppedEarly { get; set; }

    public List<EvaluationPoint> History { get; } = [];

    public WeightSnapshot? Best { get; set; }

    public double MeanLoss => LossCount == 0 ? double.NaN : LossSum / LossCount;

    /// <summary>0 before the first evaluation that may choose.</summary>
    public int EvaluationsSinceBest => Best is null ? 0 : History.Count - 1 - History.FindIndex(point => point.Step == Best.Step);

    public void Took(double loss)
    {
        LastLoss = loss;
        LossSum += loss;
        LossCount++;
    }

    /// <summary>Keeps the weights when the primary metric is better than ever.</summary>
    /// <param name="point">The scores.</param>
    /// <param name="primary">The metric of the first of them.</param>
    /// <param name="model">The weights that have them.</param>
    /// <param name="predictions">See <see cref="WeightSnapshot.Predictions"/>.</param>
    /// <param name="mayChoose">Whether these weights are ones that the run may end with: not when they are over the budget.</param>
    public void Evaluated(EvaluationPoint point, Metric primary, SequenceClassifier model, float[] predictions, bool mayChoose)
    {
        History.Add(point);
        LossSum = 0;
        LossCount = 0;
        EvaluationPoint? best = Best is null ? null : History.Find(earlier => earlier.Step == Best.Step);
        if (!mayChoose) return;
        if (best is not null && !primary.IsBetter(point.Metrics[0].Value, best.Metrics[0].Value)) return;
        Best?.Dispose();
        Best = WeightSnapshot.Take(model, point.Step, predictions);
    }

    public void Dispose() => Best?.Dispose();
}

/// <summary>A copy of all trained parameters, and what they make of the development data.</summary>
internal sealed class WeightSnapshot(int step, IReadOnlyDictionary<string, Tensor> values, float[] predictions) : IDisposable
{
    public int Step => step;

    public float[] Predictions => predictions;

    public IReadOnlyDictionary<string, Tensor> Values => values;

    public static WeightSnapshot Take(SequenceClassifier model, int step, float[] predictions)
    {
        using var scope = new TensorScope();
        return new WeightSnapshot(
            step, model.Parameters.Where(parameter => parameter.IsTrainable).ToDictionary(parameter => parameter.Name, parameter => scope.Detach(parameter.Value.Clone())), predictions);
    }

    public void Restore(SequenceClassifier model)
    {
        foreach (Parameter parameter in model.Parameters.Where(parameter => parameter.IsTrainable)) parameter.Value.CopyFrom(values[parameter.Name]);
    }

    public void Dispose()
    {
        foreach (Tensor value in values.Values) value.Dispose();
    }
}
