using System.Text.Json;
using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;
using LoRA2.Native.Tests.Encoders;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>What must hold of adapters on every family in the registry; a new one is found here.</summary>
public sealed class EveryFamilyTests : IDisposable
{
    private readonly TensorScope scope = new();
    private readonly TemporaryFolder original = new();

    public static TheoryData<string> Types => [.. ConfigText.Types];

    public static TheoryData<string, string, HeadTraining> Settings
    {
        get
        {
            var settings = new TheoryData<string, string, HeadTraining>();
            foreach (string type in ConfigText.Types)
            {
                foreach (AdapterMethod method in AdapterMethods.All.Where(method => method.PeftType is not null)) settings.Add(type, method.Name, HeadTraining.All);
                settings.Add(type, "lora", HeadTraining.Classifier);
            }

            return settings;
        }
    }

    public void Dispose()
    {
        scope.Dispose();
        original.Dispose();
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void ThePapersNamesAreMatricesOfEveryLayer(string type)
    {
        using SequenceClassifier model = Base(type);
        foreach (string name in TargetModules.AllSix)
        {
            (int Layer, string Matrix)[] places = [.. TargetModules.Resolve(model, [name]).Select(layer => model.Config.PlaceOf(layer.Name))];
            // ALBERT's layers share their weights.
            Assert.Equal(Enumerable.Range(0, type == "albert" ? 1 : model.Config.Layers), places.Select(place => place.Layer));
            Assert.All(places, place => Assert.Contains(name, place.Matrix.Split(", ")));
        }

        Assert.Equal(model.AdaptableLayers, TargetModules.Resolve(model, TargetModules.AllSix));
        Assert.Equal((-1, "somewhere.else"), model.Config.PlaceOf("somewhere.else"));
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void AnAdapterLoadedOrMergedOrMadePlainGivesTheSameLogits(string type, string name, HeadTraining head)
    {
        AdapterMethod method = SmallModel.Method(name);
        var settings = new AdapterSettings { Method = method, Head = head };
        using SequenceClassifier trained = Base(type);
        trained.Attach(settings, 3);
        Move(trained);
        float[] expected = Logits(trained);
        using var saved = new TemporaryFolder();
        AdapterFolder.Save(trained, settings, "base", saved.Path);

        using SequenceClassifier loaded = Loaded(saved.Path, out AdapterSettings read);
        Assert.Empty(read.UnknownFields);
        Assert.Equal(expected, Logits(loaded));
        Assert.Equal(Trained(trained), Trained(loaded));
        Assert.Equal(SavedModules(saved), loaded.Head.Modules.Where(module => module.Parameters.All(parameter => parameter.IsTrainable)).Select(module => module.Name));
        Assert.Equal(trained.Config.Labels, AdapterFolder.LabelsIn(saved.Path, trained.Config));

        if (method.UsesTargets && name != "dora")
        {
            using SequenceClassifier plain = Loaded(saved.Path, out read);
            using var exported = new TemporaryFolder();
            AdapterFolder.Save(plain, PlainLoRA.Convert(plain, read), "base", exported.Path);
            using SequenceClassifier again = Loaded(exported.Path, out _);
            Near(expected, Logits(again));
        }

        using (MergedAdapters merged = loaded.Merge())
        {
            float[] logits = Logits(loaded);
            Near(expected, logits);
            using var whole = new TemporaryFolder();
            ModelFolder.Save(loaded, original.Path, whole.Path);
            using SequenceClassifier again = SequenceClassifier.FromFolder(whole.Path);
            Assert.Empty(again.InitialisedParameters);
            Assert.Empty(again.Config.UnknownFields);
            again.FreezeBase();
            loaded.FreezeBase();
            Assert.Equal(Logits(loaded), Logits(again));
            using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(whole.File("config.json")));
            Assert.Equal($"{trained.Config.ClassName}ForSequenceClassification", config.RootElement.GetProperty("architectures")[0].GetString());
        }
    }

    /// <summary>A model of the family with random weights, in <see cref="original"/>.</summary>
    private SequenceClassifier Base(string type)
    {
        original.Write("config.json", ConfigText.Of(type).ToJsonString());
        using (SequenceClassifier made = SequenceClassifier.Create(EncoderConfigReader.FromFolder(original.Path), 3)) ModelFolder.Save(made, original.Path, original.Path);
        return SequenceClassifier.FromFolder(original.Path);
    }

    private SequenceClassifier Loaded(string adapter, out AdapterSettings settings)
    {
        SequenceClassifier model = SequenceClassifier.FromFolder(original.Path);
        settings = AdapterFolder.Load(model, adapter);
        return model;
    }

    /// <summary>As if trained: every trained value is changed.</summary>
    private static void Move(SequenceClassifier model)
    {
        foreach ((int i, Parameter parameter) in model.Parameters.Where(parameter => parameter.IsTrainable).Index())
        {
            float[] step = new float[parameter.Count];
            new Philox(9, (uint)i).FillNormal(step, 0, 0.1f);
            foreach ((int at, float value) in step.Index()) parameter.Value.AsSpan<float>()[at] += value;
        }
    }

    private static IEnumerable<string> Trained(SequenceClassifier model) => model.Parameters.Where(parameter => parameter.IsTrainable).Select(parameter => parameter.Name);

    private static string?[] SavedModules(TemporaryFolder adapter)
    {
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(adapter.File(AdapterFolder.ConfigFile)));
        return [.. config.RootElement.GetProperty("modules_to_save").EnumerateArray().Select(module => module.GetString())];
    }

    private static float[] Logits(SequenceClassifier model)
    {
        var batch = new EncoderBatch(Tensor.From([.. Enumerable.Range(0, 12).Select(i => 5 + (i * 7 % 40))], [2, 6]), Tensor.Full([2, 6], 1, DType.Int32));
        return model.Forward(batch, ForwardContext.Inference).ToArray<float>();
    }

    private static void Near(float[] expected, float[] found) => Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 1e-4 * Math.Max(1, Math.Abs(pair.First))));
}
