using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using Xunit.Abstractions;

namespace LoRA2.Native.Tests.Golden;

/// <summary>The encoders in lower precisions against HuggingFace's float32: how far the logits and the gradients move.</summary>
public sealed class PrecisionGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [GoldenFamilies(GoldenKind.Bert, "inputs.safetensors", "grads.safetensors")]
    [GoldenFamilies(GoldenKind.Roberta, "inputs.safetensors", "grads.safetensors")]
    [GoldenFamilies(GoldenKind.DebertaV3, "inputs.safetensors", "grads.safetensors")]
    public void LogitsAndGradientsAreAsPreciseAsTheirPrecision(string family)
    {
        foreach ((Precision precision, double bound) in ((Precision, double)[])[(Precision.BFloat16, 4e-2), (Precision.BFloat16x3, 2e-4), (Precision.BFloat16x6, Tolerance.Logits)])
        {
            var closeness = new Closeness(output, $"{family} in {precision}");
            using var scope = new TensorScope();
            using SequenceClassifier model = GoldenModel.Load(family);
            model.Precision = precision;
            model.TrainAll();
            using var inputs = new TraceFile(GoldenTraces.At(family, "inputs.safetensors"));
            using var outputs = new TraceFile(GoldenTraces.At(family, "outputs.safetensors"));
            using var gradients = new TraceFile(GoldenTraces.At(family, "grads.safetensors"));
            using var tape = new Tape();
            Tensor logits = model.Forward(GoldenModel.Batch(inputs), ForwardContext.Inference);
            tape.Backward(model.Loss(logits, inputs.Tensor("labels")));
            closeness.Absolute("logits", "logits", outputs.Floats("logits"), logits.ToArray<float>(), bound);
            foreach (Parameter parameter in model.BaseParameters)
            {
                if (gradients.Has(parameter.Name)) closeness.Relative("gradients", parameter.Name, gradients.Floats(parameter.Name), parameter.Value.Grad!.ToArray<float>(), bound);
            }

            closeness.Report();
        }
    }

    [Theory]
    [GoldenFamilies(GoldenKind.DebertaV3, "inputs.safetensors", "outputs.safetensors")]
    public void FrozenAndTrainedWeightsGiveTheSameBits(string family)
    {
        foreach (Precision precision in Enum.GetValues<Precision>())
        {
            using var scope = new TensorScope();
            using SequenceClassifier trained = GoldenModel.Load(family), frozen = GoldenModel.Load(family);
            trained.Precision = precision;
            frozen.FreezeBase();
            frozen.Precision = precision;
            using var inputs = new TraceFile(GoldenTraces.At(family, "inputs.safetensors"));
            EncoderBatch batch = GoldenModel.Batch(inputs);
            Assert.Equal(trained.Forward(batch, ForwardContext.Inference).ToArray<float>(), frozen.Forward(batch, ForwardContext.Inference).ToArray<float>());
        }
    }
}
