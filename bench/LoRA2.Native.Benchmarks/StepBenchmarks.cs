using BenchmarkDotNet.Attributes;
using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Optimisers;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Training;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// Whole steps of a small DeBERTa (4 layers of width 128, 8 texts of 32 tokens): forward, backward and AdamW, or an inference. Neither may allocate. The
/// <c>step</c> command times larger ones.
/// </summary>
[MemoryDiagnoser]
public class StepBenchmarks
{
    private const int Batch = 8, Length = 32;

    private readonly ForwardContext context = new() { IsTraining = true, Seed = 3 };
    private SequenceClassifier model = null!;
    private AdamWOptimizer optimizer = null!;
    private EncoderBatch batch;
    private Tensor labels = null!;
    private uint step;

    [Params("lora2", "lora")]
    public string Method { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        var config = new DebertaV2Config { VocabularySize = 8000, Layers = 4, HiddenSize = 128, IntermediateSize = 512, Heads = 4 };
        model = SequenceClassifier.Create(config, 1);
        model.Attach(new AdapterSettings { Method = AdapterMethods.Named(Method), Head = HeadTraining.Classifier }, 2);
        optimizer = new AdamWOptimizer([new([.. model.Parameters.Where(parameter => parameter.IsTrainable)], 0.01)]);
        batch = new EncoderBatch(
            Tensor.From([.. Enumerable.Range(0, Batch * Length).Select(i => 5 + (i * 7919 % 7995))], [Batch, Length]), Tensor.Full([Batch, Length], 1, DType.Int32));
        labels = Tensor.From([.. Enumerable.Range(0, Batch).Select(i => i % 2)], [Batch]);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        optimizer.Dispose();
        model.Dispose();
        foreach (Tensor tensor in (Tensor[])[batch.Ids, batch.Mask, labels]) tensor.Dispose();
    }

    [Benchmark]
    public void Training()
    {
        using TensorScope scope = model.OpenScope();
        using var tape = new Tape();
        context.Begin(step++);
        tape.Backward(model.Loss(model.Forward(batch, context), labels));
        optimizer.Step(1e-3);
        optimizer.ClearGradients();
    }

    [Benchmark]
    public void Inference()
    {
        using TensorScope scope = model.OpenScope();
        model.Forward(batch, ForwardContext.Inference);
    }
}
