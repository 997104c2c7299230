using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Adapters;

namespace LoRA2.Native.Tests.Encoders;

/// <summary>Tests that read the shared memory pool; nothing else runs beside them.</summary>
[CollectionDefinition(nameof(RecomputeTests), DisableParallelization = true)]
[Collection(nameof(RecomputeTests))]
public sealed class RecomputeTests
{
    public static TheoryData<string> Methods => [.. AdapterMethods.All.Select(method => method.Name)];

    [Theory]
    [MemberData(nameof(Methods))]
    public void TheBitsAreTheSameAndLessIsKept(string name)
    {
        var config = new DebertaV2Config { VocabularySize = 50, Layers = 3, HiddenSize = 32, IntermediateSize = 64, Heads = 2 };
        using SequenceClassifier model = SequenceClassifier.Create(config, 1);
        model.Attach(new AdapterSettings { Method = SmallModel.Method(name), Head = HeadTraining.Classifier }, 2);
        (byte[][] expected, long kept) = Step(model, recompute: false);
        (byte[][] actual, long less) = Step(model, recompute: true);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i]);
        Assert.True(less < kept / 2, $"{less} bytes are kept for the gradients, {kept} without recomputation");
    }

    /// <summary>The loss and all gradients, and the memory held between the forward pass and the backward pass.</summary>
    private static (byte[][] Results, long Kept) Step(SequenceClassifier model, bool recompute)
    {
        long before = MemoryPool.Shared.BytesInUse;
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor ids = Tensor.From([.. Enumerable.Range(0, 4 * 33).Select(i => 5 + (i * 7 % 45))], [4, 33]);
        var context = new ForwardContext { IsTraining = true, Seed = 3, Step = 7, Recompute = recompute };
        Tensor logits = model.Forward(new EncoderBatch(ids, Tensor.Full([4, 33], 1, DType.Int32)), context);
        Tensor loss = model.Loss(logits, Tensor.From([0, 1, 1, 0], [4]));
        long kept = MemoryPool.Shared.BytesInUse - before;
        tape.Backward(loss);
        List<byte[]> results = [Bytes(loss)];
        foreach (Parameter parameter in model.Parameters.Where(parameter => parameter.IsTrainable))
        {
            results.Add(Bytes(parameter.Value.Grad!));
            parameter.Value.ClearGrad();
        }

        return ([.. results], kept);
    }

    private static byte[] Bytes(Tensor tensor) => [.. tensor.ToArray<float>().SelectMany(BitConverter.GetBytes)];
}
