using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using Xunit.Abstractions;

namespace LoRA2.Native.Tests.Golden;

/// <summary>The encoders in lower precisions against HuggingFace's float32: how far the logits and the gradients move.</summary>
public sealed class PrecisionGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [GoldenFamilies(GoldenKind.Encoder, "inputs.safetensors", "grads.safetensors")]
    public void LogitsAndGradientsAreAsPreciseAsTheirPrecision(string family)
    {
        (Precision, double Logits, double Gradients)[] bounds = [(Precision.BFloat16, 1e-2, 0.2), (Precision.BFloat16x3, Tolerance.Logits, 5e-4), (Precision.BFloat16x6, Tolerance.Logits, Tolerance.Gradients)];
        foreach ((Precision precision, double logitBound, double gradientBound) in bounds)
        {
            var closeness = new Closeness(output, $"{family} in {precision}");
            using var scope = new TensorScope();
            using SequenceClassifier model = GoldenModel.Load(family, precision);
            model.TrainAll();
            using var inputs = new TraceFile(GoldenTraces.At(family, "inputs.safetensors"));
            using var outputs = new TraceFile(GoldenTraces.At(family, "outputs.safetensors"));
            using var gradients = new TraceFile(GoldenTraces.At(family, "grads.safetensors"));
            using var tape = new Tape();
            Tensor logits = model.Forward(GoldenModel.Batch(inputs), ForwardContext.Inference);
            tape.Backward(model.Loss(logits, inputs.Tensor("labels")));
            closeness.Absolute("logits", "logits", outputs.Floats("logits"), logits.ToArray<float>(), logitBound);
            foreach (Parameter parameter in model.BaseParameters)
            {
                // A gradient that is 0 but for rounding (a key's bias) has nothing to compare.
                if (!gradients.Has(parameter.Name) || gradients.Floats(parameter.Name).Max(Math.Abs) < Tolerance.GradientNoise) continue;
                closeness.Relative("gradients", parameter.Name, gradients.Floats(parameter.Name), parameter.Value.Grad!.ToArray<float>(), gradientBound);
            }

            closeness.Report();
        }
    }

    [Theory]
    [GoldenFamilies(GoldenKind.DebertaV3, "inputs.safetensors", "outputs.safetensors")]
    public void FrozenAndTrainedWeightsGiveTheSameBits(string family)
    {
        foreach (Precision precision in Enum.GetValues<Precision>().Except([Precision.Int8]))
        {
            using var scope = new TensorScope();
            using SequenceClassifier trained = GoldenModel.Load(family, precision), frozen = GoldenModel.Load(family, precision);
            frozen.FreezeBase();
            using var inputs = new TraceFile(GoldenTraces.At(family, "inputs.safetensors"));
            EncoderBatch batch = GoldenModel.Batch(inputs);
            Assert.Equal(Encoded(trained, batch), Encoded(frozen, batch));
        }
    }

    /// <summary>The last hidden states; the head's few rows and columns take another order of summation when packed.</summary>
    private static float[] Encoded(SequenceClassifier model, EncoderBatch batch)
    {
        var context = new ForwardContext { HiddenStates = [] };
        model.Forward(batch, context);
        return context.HiddenStates[^1].ToArray<float>();
    }
}
