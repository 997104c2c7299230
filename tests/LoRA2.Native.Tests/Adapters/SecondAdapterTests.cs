using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Adapters;

public sealed class SecondAdapterTests
{
    private const string Text = "a good film";
    private static readonly string Case = Path.Combine(SharedData.Repository, "tests", "Fixtures", "cases", "05-adapters-in-a-loop");

    [Fact]
    public void NothingOfTheFirstStays()
    {
        using TextClassifier fresh = TextClassifier.Load(At("base"), At("b"));
        Assert.Equal(0.874916, fresh.Predict(Text).Probabilities![1], 1e-6);
        using TextClassifier classifier = TextClassifier.Load(At("base"));
        IReadOnlyList<double> alone = classifier.Predict(Text).Probabilities!;
        for (int round = 0; round < 3; round++)
        {
            AdapterFolder.Load(classifier.Model, At("a"));
            IReadOnlyList<double> a = classifier.Predict(Text).Probabilities!;
            AdapterFolder.Load(classifier.Model, At("b"));
            Assert.Equal(fresh.Predict(Text).Probabilities, classifier.Predict(Text).Probabilities);
            Assert.NotEqual(a, classifier.Predict(Text).Probabilities);
        }

        classifier.Model.Restore();
        classifier.Model.FreezeBase();
        Assert.Equal(alone, classifier.Predict(Text).Probabilities);
    }

    [Fact]
    public void OneThatDoesNotFitChangesNothing()
    {
        using var folder = new TemporaryFolder();
        using TextClassifier classifier = TextClassifier.Load(At("base"), At("a"));
        IReadOnlyList<double> before = classifier.Predict(Text).Probabilities!;
        File.Copy(Path.Combine(At("b"), "adapter_model.safetensors"), folder.File("adapter_model.safetensors"));
        File.WriteAllText(folder.File("adapter_config.json"), File.ReadAllText(Path.Combine(At("b"), "adapter_config.json")).Replace("\"r\": 2", "\"r\": 3", StringComparison.Ordinal));
        Assert.Throws<LoRA2.Native.Files.InputException>(() => AdapterFolder.Load(classifier.Model, folder.Path));
        Assert.Equal(before, classifier.Predict(Text).Probabilities);
    }

    private static string At(string name) => Path.Combine(Case, name);
}
