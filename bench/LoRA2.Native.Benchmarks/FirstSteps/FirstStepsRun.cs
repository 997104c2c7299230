using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Training;

namespace LoRA2.Native.Benchmarks.FirstSteps;

/// <summary>
/// A hundred steps of a method on an encoder with one layer of random weights, and what they did. The task can be learned: whether more than half of a sequence's
/// tokens come from the upper half of the vocabulary; every step has new sequences.
/// </summary>
internal sealed class FirstStepsRun
{
    private const int Vocabulary = 1000;
    private const int Batch = 8;
    private const int Length = 8;

    /// <summary>η, without warm-up or decay.</summary>
    public const double LearningRate = 1e-3;

    private static readonly int[] Steps = [1, 10, 100];

    private readonly Dictionary<int, StepMeasures> measures = [];

    private FirstStepsRun(AdapterMethod method, int width) => (Method, Width) = (method, width);

    public AdapterMethod Method { get; }

    public int Width { get; }

    public IReadOnlyDictionary<int, StepMeasures> Measures => measures;

    public static FirstStepsRun Of(AdapterMethod method, int width)
    {
        var run = new FirstStepsRun(method, width);
        var config = new RobertaConfig
        {
            VocabularySize = Vocabulary,
            MaxPositions = 512,
            PadTokenId = 0,
            LayerNormEpsilon = 1e-7,
            Layers = 1,
            HiddenSize = width,
            IntermediateSize = 4 * width,
            Heads = width / 64,
            HiddenDropout = 0,
            AttentionDropout = 0,
        };
        using SequenceClassifier model = SequenceClassifier.Create(config, 1);
        model.Attach(new AdapterSettings { Method = method }, 2);
        run.Train(model);
        return run;
    }

    private void Train(SequenceClassifier model)
    {
        Adapter[] adapters = [.. model.Adapters()];
        Dictionary<Parameter, Adapter> owners = adapters.SelectMany(adapter => adapter.Parameters.Select(parameter => (parameter, adapter))).ToDictionary();
        using var optimizer = new AdamWOptimizer(
            model.Parameters.Where(parameter => parameter.IsTrainable)
                .ToLookup(parameter => owners.TryGetValue(parameter, out Adapter? owner) ? Method.RateFactor(owner, parameter) : 1)
                .Select(group => new ParameterGroup([.. group], 0, group.Key)));
        float[] start = Hidden(model);
        for (int step = 1; step <= Steps[^1]; step++)
        {
            using var scope = new TensorScope();
            (EncoderBatch batch, Tensor labels) = Sequences(step);
            using (var tape = new Tape())
            {
                tape.Backward(model.Loss(model.Forward(batch, ForwardContext.Inference), labels));
            }

            double regulariser = 0;
            using (var tape = new Tape())
            {
                if (Method.RegulariserWeight != 0 && Method.Regulariser(adapters) is { } term)
                {
                    regulariser = term.Item();
                    tape.Backward(term, Tensor.Full([], Method.RegulariserWeight));
                }
            }

            bool measured = Steps.Contains(step);
            float[][] before = measured ? [.. owners.Keys.Select(parameter => parameter.Value.ToArray<float>())] : [];
            float[]?[] gradients = measured ? [.. owners.Keys.Select(parameter => parameter.Value.Grad?.ToArray<float>())] : [];
            optimizer.Step(LearningRate, clipNorm: 1);
            foreach (Adapter adapter in adapters) Method.AfterStep(adapter, LearningRate);
            optimizer.ClearGradients();
            if (!measured) continue;
            Dictionary<string, FactorMeasures> factors = owners.Keys
                .Select((parameter, i) => (
                    Part: parameter.Name[(parameter.Name.LastIndexOf('.') + 1)..], Gradient: gradients[i] ?? [], Value: parameter.Value.ToArray<float>(),
                    Update: parameter.Value.ToArray<float>().Zip(before[i], (after, was) => after - was)))
                .GroupBy(factor => factor.Part)
                .ToDictionary(
                    part => part.Key,
                    part => new FactorMeasures(
                        RootMeanSquare(part.SelectMany(factor => factor.Gradient)), RootMeanSquare(part.SelectMany(factor => factor.Update)), RootMeanSquare(part.SelectMany(factor => factor.Value))));
            double[] lengths = [.. adapters.Cast<LowRankAdapter>().Select(Norm)];
            measures[step] = new StepMeasures(RootMeanSquare(lengths.Select(length => (float)length)), RootMeanSquare(Hidden(model).Zip(start, (now, was) => now - was)), regulariser, factors);
        }
    }

    private static double Norm(LowRankAdapter adapter)
    {
        using var scope = new TensorScope();
        return Math.Sqrt(adapter.Delta().ToArray<float>().Sum(value => (double)value * value));
    }

    private static double RootMeanSquare(IEnumerable<float> values)
    {
        (double sum, long count) = (0, 0);
        foreach (float value in values) (sum, count) = (sum + ((double)value * value), count + 1);
        return count == 0 ? 0 : Math.Sqrt(sum / count);
    }

    /// <summary>The encoder's last hidden states on sequences that are not trained on.</summary>
    private static float[] Hidden(SequenceClassifier model)
    {
        using var scope = new TensorScope();
        var context = new ForwardContext { HiddenStates = [] };
        model.Forward(Sequences(0).Batch, context);
        return context.HiddenStates[^1].ToArray<float>();
    }

    private static (EncoderBatch Batch, Tensor Labels) Sequences(int step)
    {
        var random = new Random(step);
        int[] ids = new int[Batch * Length];
        int[] labels = new int[Batch];
        for (int row = 0; row < Batch; row++)
        {
            int upper = 0;
            for (int i = 0; i < Length; i++)
            {
                int id = 5 + random.Next(Vocabulary - 5);
                ids[(row * Length) + i] = id;
                if (id >= Vocabulary / 2) upper++;
            }

            labels[row] = upper > Length / 2 ? 1 : 0;
        }

        return (new EncoderBatch(Tensor.From(ids, [Batch, Length]), Tensor.Full([Batch, Length], 1, DType.Int32)), Tensor.From(labels, [Batch]));
    }
}

/// <summary>One step: norms are root mean squares over the matrices.</summary>
/// <param name="Length">‖Δ‖_F after it, scale included.</param>
/// <param name="Movement">How far the last hidden states are from where they started, root mean square of an element; the states' own is 1.</param>
/// <param name="Regulariser">The regulariser before it, without its weight.</param>
/// <param name="Factors">Each factor's, by its name.</param>
internal sealed record StepMeasures(double Length, double Movement, double Regulariser, IReadOnlyDictionary<string, FactorMeasures> Factors);

/// <summary>Root mean squares of a factor's elements over all matrices.</summary>
internal readonly record struct FactorMeasures(double Gradient, double Update, double Value);
