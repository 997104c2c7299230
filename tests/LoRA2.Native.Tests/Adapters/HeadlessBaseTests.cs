using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;
using LoRA2.Native.Tensors.Serialization;
using LoRA2.Native.Tests.Encoders;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>A base model without a head, as pretrained encoders are: what training draws is saved, and nobody else draws anything.</summary>
public sealed class HeadlessBaseTests : IDisposable
{
    private readonly TensorScope scope = new();
    private readonly TemporaryFolder original = new();

    public static TheoryData<string, string, HeadTraining, ulong> Settings
    {
        get
        {
            var settings = new TheoryData<string, string, HeadTraining, ulong>();
            foreach (string type in ConfigText.Types)
            {
                foreach (AdapterMethod method in AdapterMethods.All.Where(method => method.PeftType is not null))
                {
                    settings.Add(type, method.Name, HeadTraining.All, 7);
                    settings.Add(type, method.Name, HeadTraining.Classifier, 42);
                }
            }

            return settings;
        }
    }

    public static TheoryData<string> Types => [.. ConfigText.Types];

    public void Dispose()
    {
        scope.Dispose();
        original.Dispose();
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void AnAdapterHasTheSameLogitsAfterReloading(string type, string name, HeadTraining head, ulong seed)
    {
        WriteHeadless(type);
        using SequenceClassifier trained = SequenceClassifier.FromFolder(original.Path, seed: seed);
        Assert.NotEmpty(trained.InitialisedParameters);
        var settings = new AdapterSettings { Method = SmallModel.Method(name), Head = head };
        trained.Attach(settings, seed);
        foreach (Parameter parameter in trained.Parameters.Where(parameter => parameter.IsTrainable))
        {
            float[] noise = new float[parameter.Count];
            new Philox(seed, 5).FillNormal(noise, 0, 0.1);
            Span<float> values = parameter.Value.AsSpan<float>();
            for (int i = 0; i < noise.Length; i++) values[i] += noise[i];
        }

        using var saved = new TemporaryFolder();
        AdapterFolder.Save(trained, settings, "base", saved.Path);
        LoadedModel loaded = LoadedModel.Load(original.Path, saved.Path);
        using SequenceClassifier model = loaded.Model;
        Assert.Equal(Logits(trained), Logits(model));
        Assert.Empty(loaded.Adapter!.Warnings);
        // Who trains on trains what was trained.
        Assert.Equal(
            trained.Head.Parameters.Where(parameter => parameter.IsTrainable).Select(parameter => parameter.Name), model.Head.Parameters.Where(parameter => parameter.IsTrainable).Select(parameter => parameter.Name));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void NothingAnswersFromRandomWeights(string type)
    {
        WriteHeadless(type);
        Assert.Contains("is missing", Assert.Throws<InputException>(() => LoadedModel.Load(original.Path)).Message, StringComparison.Ordinal);
        // Half a head, and one of another size, are none.
        using SequenceClassifier whole = SequenceClassifier.Create(EncoderConfigReader.FromFolder(original.Path), 3);
        Parameter classifier = whole.Head.Classifier!.Weight;
        foreach (bool half in (bool[])[true, false])
        {
            var writer = new SafetensorsWriter();
            foreach (Parameter parameter in whole.BaseParameters)
            {
                if (parameter != classifier) writer.Add(parameter.Name, parameter.Value);
                else if (!half) writer.Add(parameter.Name, Tensor.Zeros([whole.Config.Labels + 1, whole.Config.HiddenSize]));
            }

            writer.Write(original.File("model.safetensors"));
            string sentence = Assert.Throws<InputException>(() => LoadedModel.Load(original.Path)).Message;
            Assert.Contains($"tensor '{classifier.Name}'", sentence, StringComparison.Ordinal);
            Assert.Contains(half ? "is missing" : $"has shape [{whole.Config.Labels + 1}, {whole.Config.HiddenSize}]", sentence, StringComparison.Ordinal);
        }
    }

    private void WriteHeadless(string type)
    {
        original.Write("config.json", ConfigText.Of(type).ToJsonString());
        using SequenceClassifier whole = SequenceClassifier.Create(EncoderConfigReader.FromFolder(original.Path), 3);
        var writer = new SafetensorsWriter();
        foreach (Parameter parameter in whole.BaseParameters.Except(whole.Head.Parameters)) writer.Add(parameter.Name, parameter.Value);
        writer.Write(original.File("model.safetensors"));
    }

    private static float[] Logits(SequenceClassifier model)
    {
        using var pass = new TensorScope();
        var batch = new EncoderBatch(Tensor.From([.. Enumerable.Range(0, 12).Select(i => 3 + (i * 7 % 20))], [2, 6]), Tensor.Full([2, 6], 1, DType.Int32));
        return model.Forward(batch, ForwardContext.Inference).ToArray<float>();
    }
}
