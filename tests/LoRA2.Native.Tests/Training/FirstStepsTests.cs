using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Training;

/// <summary>AdamW's first step, as bench/results/first-steps.md derives it: how long Δ is after it, and how far it moves what the encoder computes.</summary>
public sealed class FirstStepsTests : IDisposable
{
    private const double LearningRate = 1e-3;

    private static readonly int[] Ranks = [4, 8, 16];

    private readonly TensorScope scope = new();
    private readonly EncoderBatch batch = new(Tensor.From([.. Enumerable.Range(0, 48).Select(i => 5 + (i * 7 % 40))], [4, 12]), Tensor.Full([4, 12], 1, DType.Int32));
    private readonly Tensor labels = Tensor.From([0, 1, 1, 0], [4]);

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(256)]
    [InlineData(384)]
    [InlineData(768)]
    [InlineData(1024)]
    public void LoRA2AndAdaLoRAMoveTheEncoderAsFarAsLoRAForEveryKAndR(int width)
    {
        using SequenceClassifier model = Encoder(width);
        foreach (int rank in Ranks)
        {
            double lora = Movement(model, new LoRAMethod { Rank = rank });
            Assert.InRange(Movement(model, new AdaLoRAMethod { Rank = rank }) / lora, 0.5, 2);
            foreach (int outerRank in (int[])[1, 4, 8, 16])
            {
                double ratio = Movement(model, new LoRA2Method { Rank = rank, OuterRank = outerRank }) / lora;
                Assert.True(ratio is > 0.5 and < 2, $"width {width}, k = {outerRank}, r = {rank}: {ratio} times LoRA's movement");
            }

            Assert.InRange(Movement(model, AuthorsStart with { Rank = rank }) / lora, 0, 1e-3);
        }
    }

    [Theory]
    [InlineData(256)]
    [InlineData(768)]
    public void TheUpdateIsAsLongAsPredicted(int width)
    {
        using SequenceClassifier model = Encoder(width);
        foreach (int rank in Ranks)
        {
            double scale = 16.0 / rank;
            Check(model, new LoRAMethod { Rank = rank }, outputs => scale * LearningRate * Math.Sqrt(rank * outputs / 3.0), 1.15);
            Check(model, new AdaLoRAMethod { Rank = rank }, outputs => scale * LearningRate * SingularValueRates.Matching(outputs, rank, rank) * Math.Sqrt(rank), 1.02);
            foreach (int outerRank in (int[])[1, 4, 8, 16])
            {
                Check(
                    model, new LoRA2Method { Rank = rank, OuterRank = outerRank },
                    outputs => scale * LearningRate * SingularValueRates.Matching(outputs, rank, outerRank) * SingularValueRates.UnitLength(rank, outerRank), outerRank >= rank ? 1.02 : 1.3);
            }
        }
    }

    /// <summary>Where P and Q are orthonormal the rate depends on the width and r alone, and where they can't be it makes up for it.</summary>
    [Fact]
    public void TheRateOfTheSingularValuesGrowsWithTheRootOfTheWidth()
    {
        foreach (int rank in Ranks)
        {
            foreach (int outerRank in (int[])[1, 4, 8, 16])
            {
                double rate = SingularValueRates.Matching(256, rank, outerRank);
                Assert.Equal(2 * rate, SingularValueRates.Matching(1024, rank, outerRank), 1e-9);
                Assert.Equal(outerRank >= rank, Math.Abs(rate - Math.Sqrt(2 * 256 * rank / (3 * Math.PI))) < 1e-9);
            }
        }
    }

    private static LoRA2Method AuthorsStart => new() { IsOrthonormal = false, InitialDeviation = 0.02, SingularValueRate = 1 };

    private static SequenceClassifier Encoder(int width) => SequenceClassifier.Create(
        new DebertaV2Config { VocabularySize = 50, Layers = 1, HiddenSize = width, IntermediateSize = 4 * width, Heads = width / 64, HiddenDropout = 0, AttentionDropout = 0 }, 3);

    /// <summary>
    /// The root of the mean square, over four starts, of the last hidden states' change in the first step: with k = 1 a layer moves along one direction, whose share in
    /// the inputs is one normal variate, so that a single start of six layers is off by a third now and then.
    /// </summary>
    private double Movement(SequenceClassifier model, AdapterMethod method) => Math.Sqrt(Enumerable.Range(1, 4).Average(seed =>
    {
        model.Attach(new AdapterSettings { Method = method }, (ulong)seed);
        float[] before = Hidden(model);
        Step(model, method);
        return Hidden(model).Zip(before, (now, was) => Math.Pow(now - was, 2)).Average();
    }));

    /// <summary>Over the six matrices the root of the mean square of Δ's length, each over what is predicted, is 1 within a factor.</summary>
    private void Check(SequenceClassifier model, AdapterMethod method, Func<int, double> predicted, double within)
    {
        model.Attach(new AdapterSettings { Method = method }, 7);
        Step(model, method);
        using var pass = new TensorScope();
        double ratio = Math.Sqrt(model.AdaptableLayers.Average(layer => Math.Pow(Length(((LowRankAdapter)layer.Adapter!).Delta()) / predicted(layer.Outputs), 2)));
        Assert.True(ratio > 1 / within && ratio < within, $"{method.Description}: Δ is {ratio} times as long as predicted");
    }

    private void Step(SequenceClassifier model, AdapterMethod method)
    {
        Adapter[] adapters = [.. model.Adapters()];
        using var pass = new TensorScope();
        using var optimizer = new AdamWOptimizer(
            adapters.SelectMany(adapter => adapter.Parameters.Select(parameter => new ParameterGroup([parameter], 0.01, method.RateFactor(adapter, parameter)))));
        using (var tape = new Tape())
        {
            tape.Backward(model.Loss(model.Forward(batch, ForwardContext.Inference), labels));
        }

        using (var tape = new Tape())
        {
            if (method.RegulariserWeight != 0 && method.Regulariser(adapters) is { } term) tape.Backward(term, Tensor.Full([], method.RegulariserWeight));
        }

        optimizer.Step(LearningRate, clipNorm: 1);
        optimizer.ClearGradients();
        foreach (Parameter parameter in model.Parameters) parameter.Value.ClearGrad();
    }

    private float[] Hidden(SequenceClassifier model)
    {
        using var pass = new TensorScope();
        var context = new ForwardContext { HiddenStates = [] };
        model.Forward(batch, context);
        return context.HiddenStates[^1].ToArray<float>();
    }

    private static double Length(Tensor delta) => Math.Sqrt(delta.ToArray<float>().Sum(value => (double)value * value));
}
