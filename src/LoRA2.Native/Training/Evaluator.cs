using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Training;

/// <summary>Runs a model over a data set.</summary>
public static class Evaluator
{
    /// <summary>The logits of every example in the data's order: [examples][labels].</summary>
    /// <exception cref="InputException">One is a NaN or an infinity: that is no answer.</exception>
    public static float[][] Logits(SequenceClassifier model, TokenizedDataset data, int batchSize, CancellationToken cancellation = default)
    {
        // All of it is of one version of the model.
        using ModelAccess.Lease passes = model.Hold();
        float[][] logits = new float[data.Count][];
        int labels = model.Config.Labels;
        foreach (int[] batch in BatchPlan.ForEvaluation(data, batchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            using TensorScope scope = model.OpenScope();
            ReadOnlySpan<float> values = model.Forward(data.Batch(batch), ForwardContext.Inference).To(Device.Cpu).AsSpan<float>();
            if (ElementConversion.IndexOfNonFinite(values) is var at and >= 0) throw NotFinite(model, data, batch[at / labels], values[at]);
            for (int row = 0; row < batch.Length; row++) logits[batch[row]] = values.Slice(row * labels, labels).ToArray();
        }

        return logits;
    }

    /// <summary>Scores the model's predictions against the data's targets.</summary>
    public static Evaluation Evaluate(
        SequenceClassifier model, TokenizedDataset data, IReadOnlyList<Metric> metrics, int batchSize, CancellationToken cancellation = default) =>
        Score(model.Config, Logits(model, data, batchSize, cancellation), data, metrics);

    /// <summary>Scores logits against the data's targets.</summary>
    public static Evaluation Score(EncoderConfig config, float[][] logits, TokenizedDataset data, IReadOnlyList<Metric> metrics)
    {
        if (config.IsRegression)
        {
            double[] predicted = Array.ConvertAll(logits, row => (double)row[0]);
            double[] actual = [.. Enumerable.Range(0, data.Count).Select(i => (double)data.Target(i))];
            return Evaluation.Of(metrics, Data.Predictions.OfScores(predicted, actual));
        }

        int[] labels = [.. Enumerable.Range(0, data.Count).Select(i => (int)data.Target(i))];
        return Evaluation.Of(metrics, Data.Predictions.OfLogits(logits, labels));
    }

    /// <summary>What logits say of each example: the class's number, or the score in regression.</summary>
    public static float[] Predictions(EncoderConfig config, float[][] logits) => Array.ConvertAll(logits, row => config.IsRegression ? row[0] : Largest(row));

    private static InputException NotFinite(SequenceClassifier model, TokenizedDataset data, int example, float value)
    {
        Parameter? cause = model.Parameters.FirstOrDefault(parameter => parameter.Value.To(Device.Cpu).To(DType.Float32) is var weights && ElementConversion.IndexOfNonFinite(weights.AsSpan<float>()) >= 0);
        string why = cause is null ? "numbers on the way overflow" : $"tensor '{cause.Name}' has a value that is not finite";
        return new InputException($"{data.Name}: the model answers {value} for example {example + 1}; {why}");
    }

    /// <summary>The index of the largest logit; the first of equals.</summary>
    public static int Largest(float[] logits) => Data.Predictions.Largest(logits);
}
