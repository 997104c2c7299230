using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Inference;

/// <summary>Reads adapters' folders onto a base model whose weights they share, and checks all of them before anybody is shown one.</summary>
/// <param name="folder">The base model's.</param>
/// <param name="model">The base model, frozen.</param>
/// <param name="config">Its config as the folder has it.</param>
/// <param name="tokenizer">Its tokenizer.</param>
/// <param name="maxLength">Tokens after which every input is cut, or null.</param>
internal sealed class AdapterReader(string folder, SequenceClassifier model, EncoderConfig config, Tokenizer tokenizer, int? maxLength)
{
    private readonly string glance = FolderStamp.Glance(folder);
    private long number;

    /// <summary>Reads one.</summary>
    /// <exception cref="InputException">A file is missing or damaged, the adapter does not fit the model, or what it says is not of texts.</exception>
    public AdapterVersion Read(string adapterFolder)
    {
        if (!AdapterFolder.Exists(adapterFolder) && File.Exists(Path.Combine(adapterFolder, ModelFolder.ConfigFile)))
            throw new InputException($"'{adapterFolder}' is a model's folder, not an adapter's: a model that was fine-tuned whole shares no weights; load it by itself");
        using var files = new RestOfBase(folder, glance);
        LoadedModel loaded = LoadedModel.Load(folder, adapterFolder, configure => model.Sharing(configure(config), files));
        try
        {
            TaskDescription task = loaded.Task ?? TextModel.Described(loaded.Model.Config);
            if (task.Kind is not EmbeddingsTask && !task.Kind.AnswersTexts) throw new InputException($"'{adapterFolder}': the adapter's task is {task.Kind} ({task.Kind.Title}); one whose answers are of whole texts was expected");
            return AdapterVersion.Of(loaded.Model, task, loaded.Adapter!, TextModel.LengthOf(loaded.Model.Config, tokenizer, task, maxLength), Interlocked.Increment(ref number));
        }
        catch
        {
            loaded.Model.Dispose();
            throw;
        }
    }

    /// <summary>The base model itself as one that makes vectors, by a head that needs no weights.</summary>
    /// <exception cref="InputException">The model takes no input of that length.</exception>
    public AdapterVersion Vectors(EmbeddingsTask kind)
    {
        using var files = new RestOfBase(folder, glance);
        var task = new TaskDescription("", null, kind.Settings.MaxLength is { } said ? Math.Min(said, config.LongestInput) : null, kind.MetricsFor(1)) { Kind = kind };
        SequenceClassifier shared = model.Sharing(config with { Labels = 1, LabelNames = null, Task = kind }, files);
        try
        {
            return AdapterVersion.Of(shared, task, new AdapterSettings(), TextModel.LengthOf(shared.Config, tokenizer, task, maxLength), 0);
        }
        catch
        {
            shared.Dispose();
            throw;
        }
    }

    /// <summary>The base's files, for what of an adapter's head the base has and has not loaded; opened when first asked, if they are those of before.</summary>
    private sealed class RestOfBase(string folder, string glance) : IWeightFiles
    {
        private IWeightFiles? opened;

        public string Path => Opened.Path;

        public string Remark => Opened.Remark;

        private IWeightFiles Opened => opened ??= Open();

        public IWeight? Find(string name) => Opened.Find(name);

        public void Dispose() => opened?.Dispose();

        private IWeightFiles Open()
        {
            if (FolderStamp.Glance(folder) != glance) throw new InputException($"'{folder}': the model's files have changed since it was loaded; load it again");
            return SequenceClassifier.WeightsIn(folder);
        }
    }
}
