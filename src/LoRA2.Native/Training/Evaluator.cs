using LoRA2.Native.Communication;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Training.Distribution;

namespace LoRA2.Native.Training;

/// <summary>Runs a model over a data set.</summary>
public static class Evaluator
{
    /// <summary>What is kept of the model's output for every example in the data's order, as a rule its logits: [examples][labels].</summary>
    /// <exception cref="InputException">One is a NaN or an infinity: that is no answer.</exception>
    public static float[][] Logits(SequenceClassifier model, TokenizedDataset data, int batchSize, CancellationToken cancellation = default) => Logits(model, data, batchSize, null, cancellation);

    /// <summary>The same, of which each of several processes computes some.</summary>
    /// <param name="model">The model.</param>
    /// <param name="data">The data.</param>
    /// <param name="batchSize">Examples of a pass.</param>
    /// <param name="communicator">The processes that each compute some of the passes and have all answers, the same bits as one process's; null for one.</param>
    /// <param name="cancellation">Ends it between two passes; several processes can't be cancelled.</param>
    /// <exception cref="InputException">One is a NaN or an infinity: that is no answer.</exception>
    /// <exception cref="CommunicationException">A process is no more.</exception>
    public static float[][] Logits(SequenceClassifier model, TokenizedDataset data, int batchSize, Communicator? communicator, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        // All of it is of one version of the model.
        using ModelAccess.Lease passes = model.Hold();
        float[][] answers = new float[data.Count][];
        IEnumerable<int[]> batches = BatchPlan.ForEvaluation(data, batchSize);
        if (communicator is { Size: > 1 }) AnswerExchange.Share(communicator, batches, answers, own => Answer(model, data, own, answers, refuses: true, default));
        else Answer(model, data, batches, answers, refuses: true, cancellation);
        return answers;
    }

    /// <summary>The same with every example's output as it is: which are answers is for the caller to say.</summary>
    internal static void Outputs(SequenceClassifier model, TokenizedDataset data, int batchSize, float[][] outputs, CancellationToken cancellation)
    {
        using ModelAccess.Lease passes = model.Hold();
        Answer(model, data, BatchPlan.ForEvaluation(data, batchSize), outputs, refuses: false, cancellation);
    }

    private static void Answer(SequenceClassifier model, TokenizedDataset data, IEnumerable<int[]> batches, float[][] answers, bool refuses, CancellationToken cancellation)
    {
        TaskKind kind = model.Config.Kind;
        foreach (int[] batch in batches)
        {
            cancellation.ThrowIfCancellationRequested();
            using TensorScope scope = model.OpenScope();
            EncoderBatch inputs = kind.Inputs(data, batch, draw: null);
            Tensor output = model.Forward(inputs, ForwardContext.Inference).To(Device.Cpu);
            ReadOnlySpan<float> values = output.AsSpan<float>();
            if (refuses && ElementConversion.IndexOfNonFinite(values) is var at and >= 0) throw NotFinite(model, data, batch[Math.Min(batch.Length - 1, (int)((long)at * batch.Length / values.Length))], values[at]);
            kind.Keep(output, data, batch, inputs, answers);
        }
    }

    /// <summary>Scores the model's predictions against the data's targets.</summary>
    public static Evaluation Evaluate(SequenceClassifier model, TokenizedDataset data, IReadOnlyList<Metric> metrics, int batchSize, CancellationToken cancellation = default) =>
        Evaluate(model, data, metrics, batchSize, null, cancellation);

    /// <summary>The same, of which each of several processes computes some.</summary>
    public static Evaluation Evaluate(
        SequenceClassifier model, TokenizedDataset data, IReadOnlyList<Metric> metrics, int batchSize, Communicator? communicator, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(metrics);
        return Score(model.Config, Logits(model, data, batchSize, communicator, cancellation), data, metrics);
    }

    /// <summary>Scores logits against the data's targets.</summary>
    public static Evaluation Score(EncoderConfig config, float[][] logits, TokenizedDataset data, IReadOnlyList<Metric> metrics)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(metrics);
        return config.Kind.Score(logits, data, metrics, config.LabelNames);
    }

    /// <summary>What logits say of each example: the class's number, the score in regression, or what else the kind of task keeps.</summary>
    public static float[] Predictions(EncoderConfig config, float[][] logits)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(logits);
        return config.Kind.Predictions(logits);
    }

    private static InputException NotFinite(SequenceClassifier model, TokenizedDataset data, int example, float value)
    {
        Parameter? cause = model.Parameters.FirstOrDefault(parameter => parameter.Value.To(Device.Cpu).To(DType.Float32) is var weights && ElementConversion.IndexOfNonFinite(weights.AsSpan<float>()) >= 0);
        string why = cause is null ? "numbers on the way overflow" : $"tensor '{cause.Name}' has a value that is not finite";
        return new InputException($"{data.Name}: the model answers {value} for example {example + 1}; {why}");
    }

    /// <summary>The index of the largest logit; the first of equals.</summary>
    public static int Largest(float[] logits)
    {
        ArgumentNullException.ThrowIfNull(logits);
        return Data.Predictions.Largest(logits);
    }
}
