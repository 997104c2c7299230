using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tests.Adapters;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Inference;

/// <summary>A model and two adapters of it that give other answers: those of a case, or those drawn onto the model of the folder that LORA2_STRESS_MODEL names.</summary>
internal sealed class StressedModel : IDisposable
{
    private readonly TemporaryFolder? drawn;

    public StressedModel()
    {
        if (Environment.GetEnvironmentVariable("LORA2_STRESS_MODEL") is not { Length: > 0 } folder)
        {
            string at = Path.Combine(SharedData.Repository, "tests", "Fixtures", "cases", "05-adapters-in-a-loop");
            (Base, Adapters) = (Path.Combine(at, "base"), [Path.Combine(at, "a"), Path.Combine(at, "b")]);
            return;
        }

        drawn = new TemporaryFolder();
        (Base, Adapters) = (folder, [Draw(folder, "a", 1), Draw(folder, "b", 2)]);
    }

    public string Base { get; }

    public string[] Adapters { get; }

    public void Dispose() => drawn?.Dispose();

    private string Draw(string folder, string name, int seed)
    {
        string[] labels = ["bad", "good"];
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder, config => config with { Labels = 2, LabelNames = labels }, (ulong)seed);
        var settings = new AdapterSettings { Method = SmallModel.Method("lora") };
        model.Attach(settings, (ulong)seed);
        var random = new Random(seed);
        foreach (Parameter parameter in model.Parameters.Where(parameter => parameter.IsTrainable))
            foreach (ref float value in parameter.Value.AsSpan<float>()) value = (random.NextSingle() - 0.5f) / 5;
        string path = drawn!.File(name);
        AdapterFolder.Save(model, settings, folder, path);
        new TaskDescription("films", labels, 32, [Metric.Accuracy]).Write(path);
        return path;
    }
}
