using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Encoders;

/// <summary>In 8 bits a pass that nobody looks into takes some sequences at a time, which changes no bit.</summary>
public sealed class PassesInPartsTests : IDisposable
{
    private const int Batch = 21, Length = 29;

    private readonly TemporaryFolder folder = new();

    public static TheoryData<string> Families => [.. ConfigText.Types];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public void TheBitsAreThoseOfAPassThatKeepsEverything(string type)
    {
        folder.Write("config.json", ConfigText.Of(type).ToJsonString());
        using (SequenceClassifier made = SequenceClassifier.Create(EncoderConfigReader.FromFolder(folder.Path), seed: 3)) ModelFolder.Save(made, folder.Path, folder.Path);
        foreach (Precision precision in (Precision[])[Precision.Float32, Precision.BFloat16, Precision.Int8])
        {
            using SequenceClassifier model = SequenceClassifier.FromFolder(folder.Path, precision: precision);
            List<Tensor> states = [];
            float[] kept = Logits(model, new ForwardContext { HiddenStates = states }), freed = Logits(model, ForwardContext.Inference);
            Assert.NotEmpty(states);
            Assert.Equal(kept, freed);
            Assert.All(freed, value => Assert.True(float.IsFinite(value)));
        }
    }

    private static float[] Logits(SequenceClassifier model, ForwardContext context)
    {
        using var scope = new TensorScope();
        Tensor ids = Tensor.From([.. Enumerable.Range(0, Batch * Length).Select(i => 5 + (i * 7 % 45))], [Batch, Length]);
        Tensor mask = Tensor.From([.. Enumerable.Range(0, Batch * Length).Select(i => i % Length < Length - (i / Length) ? 1 : 0)], [Batch, Length]);
        Tensor types = Tensor.Zeros([Batch, Length], DType.Int32);
        return model.Forward(new EncoderBatch(ids, mask, types), context).ToArray<float>();
    }
}
