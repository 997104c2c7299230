using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Weights;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Inference;

/// <summary>Reads adapters' folders onto a base model whose weights they share, and checks all of them before anybody is shown one.</summary>
/// <param name="sentences">The base model's folder, and how texts become vectors there.</param>
/// <param name="model">The base model, frozen.</param>
/// <param name="config">Its config as the folder has it.</param>
/// <param name="tokenizer">Its tokenizer.</param>
/// <param name="options">Lengths and vectors as they are to be.</param>
internal sealed class AdapterReader(SentenceFolder sentences, SequenceClassifier model, EncoderConfig config, Tokenizer tokenizer, AdapterHostOptions options)
{
    private readonly string folder = sentences.Transformer;
    private readonly string glance = FolderStamp.Glance(sentences.Transformer);
    private long number;

    /// <summary>Whether the base model's files are those that it was loaded from.</summary>
    /// <exception cref="InputException">One can't be looked at.</exception>
    public bool HasBase => FolderStamp.Glance(folder) == glance;

    /// <summary>Reads one.</summary>
    /// <exception cref="InputException">A file is missing or damaged, the adapter does not fit the model, or what it says is not of texts.</exception>
    public AdapterVersion Read(string adapterFolder)
    {
        if (!Adapters.AdapterFolder.Exists(adapterFolder) && File.Exists(Path.Combine(adapterFolder, ModelFolder.ConfigFile)))
            throw new InputException($"'{adapterFolder}' is a model's folder, not an adapter's: a model that was fine-tuned whole shares no weights; load it by itself");
        using var files = new RestOfBase(this);
        EncoderConfig said = config;
        LoadedModel loaded = LoadedModel.Load(folder, adapterFolder, sentences, configure =>
        {
            said = WithVectors(configure(config), adapterFolder);
            return model.Sharing(Computed(said), files);
        });
        try
        {
            TaskDescription task = (loaded.Task ?? TextModel.Described(loaded.Model.Config)) with { Kind = said.Kind };
            if (task.Kind is EmbeddingsTask { Settings.MaxLength: { } length }) task = task with { MaxLength = length };
            if (task.Kind is not EmbeddingsTask && !task.Kind.AnswersTexts) throw new InputException($"'{adapterFolder}': the adapter's task is {task.Kind} ({task.Kind.Title}); one whose answers are of whole texts was expected");
            return AdapterVersion.Of(loaded.Model, task, loaded.Adapter!, TextModel.LengthOf(loaded.Model.Config, tokenizer, task, options.MaxLength), Interlocked.Increment(ref number));
        }
        catch
        {
            loaded.Model.Dispose();
            throw;
        }
    }

    /// <summary>The base model with a pooling in the place of its head.</summary>
    public AdapterVersion Embedder()
    {
        if (sentences.Width is { } width && width.Width != config.HiddenSize) throw new InputException($"{width.File}: the pooling is of {width.Width} dimensions; the model's hidden states have {config.HiddenSize}");
        EmbeddingSettings settings = sentences.Settings with { Pooling = options.Pooling ?? sentences.Settings.Pooling, Normalises = options.Normalises ?? sentences.Settings.Normalises };
        using var files = new RestOfBase(this);
        var kind = new EmbeddingsTask { Settings = settings };
        SequenceClassifier pooled = model.Sharing(Computed(config with { Labels = 1, LabelNames = null, Task = kind }), files);
        pooled.FreezeBase();
        var task = new TaskDescription("", null, settings.MaxLength, kind.MetricsFor(1)) { Kind = kind };
        return AdapterVersion.Of(pooled, task, new Adapters.AdapterSettings(), TextModel.LengthOf(pooled.Config, tokenizer, task, options.MaxLength), 0);
    }

    /// <summary>The config of an adapter that makes vectors, as its folder says.</summary>
    private static EncoderConfig WithVectors(EncoderConfig found, string adapterFolder) =>
        found.Task is null && SentenceFolder.Exists(adapterFolder) ? found with { Labels = 1, LabelNames = null, Task = new EmbeddingsTask().ForModel(adapterFolder, null) } : found;

    /// <summary>The config of what is computed, which may leave the vectors' length as it is.</summary>
    private EncoderConfig Computed(EncoderConfig said) =>
        options.RawVectors && said.Task is EmbeddingsTask kind ? said with { Task = kind with { Settings = kind.Settings with { Normalises = false } } } : said;

    /// <summary>The base's files, for what of an adapter's head the base has and has not loaded; opened when first asked, if they are those of before.</summary>
    private sealed class RestOfBase(AdapterReader reader) : IWeightFiles
    {
        private IWeightFiles? opened;

        public string Path => Opened.Path;

        public string Remark => Opened.Remark;

        private IWeightFiles Opened => opened ??= Open();

        public IEnumerable<string> Names => Opened.Names;

        public IWeight? Find(string name) => Opened.Find(name);

        public void Dispose() => opened?.Dispose();

        private IWeightFiles Open()
        {
            if (!reader.HasBase) throw new InputException($"'{reader.folder}': the model's files have changed since it was loaded; load it again");
            return SequenceClassifier.WeightsIn(reader.folder);
        }
    }
}
