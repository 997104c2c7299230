using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>A DeBERTa of width 16 with one batch, for what must hold of every method.</summary>
internal sealed class SmallModel : IDisposable
{
    private readonly TensorScope scope = new();

    public SmallModel(int layers = 2, int hidden = 16, int intermediate = 24)
    {
        EncoderConfig config = new DebertaV2Config
        {
            VocabularySize = 50,
            Layers = layers,
            HiddenSize = hidden,
            IntermediateSize = intermediate,
            Heads = 2,
            HiddenDropout = 0,
            AttentionDropout = 0,
            InitializerRange = 0.3,
        };
        Model = SequenceClassifier.Create(config, 5);
        Model.FreezeBase();
        Batch = new EncoderBatch(Tensor.From([.. Enumerable.Range(0, 12).Select(i => 5 + (i * 7 % 40))], [2, 6]), Tensor.Full([2, 6], 1, DType.Int32));
        Labels = Tensor.From([0, 1], [2]);
    }

    public SequenceClassifier Model { get; }

    public EncoderBatch Batch { get; }

    public Tensor Labels { get; }

    /// <summary>The methods by name, with settings that fit the model.</summary>
    public static AdapterMethod Method(string name)
    {
        AdapterMethod method = AdapterMethods.Named(name);
        foreach (MethodOption option in method.Options)
        {
            if (option.Name is "rank" or "outer-rank") method = option.With(method, option.Name == "rank" ? "4" : "3");
            if (option.Name == "init-std") method = option.With(method, "0.2");
        }

        return method;
    }

    public float[] Logits()
    {
        using var pass = new TensorScope();
        return Model.Forward(Batch, ForwardContext.Inference).ToArray<float>();
    }

    /// <summary>The last of them; the head's few rows and columns take another order of summation when they are trained.</summary>
    public float[] HiddenStates()
    {
        using var pass = new TensorScope();
        var context = new ForwardContext { HiddenStates = [] };
        Model.Forward(Batch, context);
        return context.HiddenStates[^1].ToArray<float>();
    }

    /// <summary>A few steps as the trainer makes them.</summary>
    public void Train(AdapterMethod method, int steps = 6, double rate = 0.02)
    {
        Adapter[] adapters = [.. Model.Adapters()];
        using var optimizer = new AdamWOptimizer([new([.. Model.Parameters.Where(parameter => parameter.IsTrainable)], 0.01)]);
        for (int step = 0; step < steps; step++)
        {
            using var pass = new TensorScope();
            using (var tape = new Tape())
            {
                tape.Backward(Model.Loss(Model.Forward(Batch, ForwardContext.Inference), Labels));
            }

            using (var tape = new Tape())
            {
                if (method.RegulariserWeight != 0 && method.Regulariser(adapters) is { } term) tape.Backward(term, Tensor.Full([], method.RegulariserWeight));
            }

            optimizer.Step(rate);
            foreach (Adapter adapter in adapters) method.AfterStep(adapter, rate);
            optimizer.ClearGradients();
        }
    }

    public void Dispose()
    {
        scope.Dispose();
        Model.Dispose();
    }
}
