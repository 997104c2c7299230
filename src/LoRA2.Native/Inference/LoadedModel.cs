using LoRA2.Native.Adapters;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Inference;

/// <summary>A model as its folder and its adapter's folder have it, without a tokenizer.</summary>
/// <param name="Model">The encoder and head; all frozen but what the adapter holds.</param>
/// <param name="Task">What it was fine-tuned for, or null when no folder says so.</param>
/// <param name="Adapter">The shape of the adapter on it, or null without one.</param>
public sealed record LoadedModel(SequenceClassifier Model, TaskDescription? Task, AdapterSettings? Adapter)
{
    /// <summary>Loads a HuggingFace folder, and an adapter onto it when one is given.</summary>
    /// <exception cref="InputException">A file is missing or damaged, or the adapter does not fit the model.</exception>
    public static LoadedModel Load(string modelFolder, string? adapterFolder = null, Precision precision = Precision.Float32)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelFolder);
        if (adapterFolder is not null) ArgumentException.ThrowIfNullOrEmpty(adapterFolder);
        return Load(modelFolder, adapterFolder, null, configure => SequenceClassifier.FromFolder(modelFolder, configure, precision: precision));
    }

    /// <summary>The same with a model that is made otherwise, of the folder's config as it is to be changed.</summary>
    /// <param name="modelFolder">The encoder's folder.</param>
    /// <param name="adapterFolder">The adapter's, or null.</param>
    /// <param name="sentences">The sentence-transformers folder that the encoder's is in, as it was read; null to read the encoder's own.</param>
    /// <param name="make">Makes the model.</param>
    internal static LoadedModel Load(string modelFolder, string? adapterFolder, SentenceFolder? sentences, Func<Func<EncoderConfig, EncoderConfig>, SequenceClassifier> make)
    {
        string described = adapterFolder ?? modelFolder;
        var reading = new FileSetReading(Path.Combine(described, adapterFolder is null ? ModelFolder.ConfigFile : AdapterFolder.ConfigFile));
        TaskDescription? task = TaskDescription.Read(described);
        SequenceClassifier model = make(config => Fitted(config, adapterFolder, described, task, sentences ?? SentenceFolder.Read(modelFolder)));
        try
        {
            AdapterSettings? adapter = null;
            if (adapterFolder is null) model.FreezeBase();
            else adapter = AdapterFolder.Load(model, adapterFolder);
            reading.RequireUnchanged();
            model.RequireComplete();
            if (task is { LabelNames: { } names } && names.Count != model.Config.Labels)
                throw new InputException($"{Path.Combine(described, TaskDescription.FileName)}: {names.Count} labels are named, but the head has {model.Config.Labels} outputs");
            return new LoadedModel(model, task, adapter);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The config with the kind and labels of the adapter and of the task.</summary>
    /// <param name="config">The model folder's.</param>
    /// <param name="adapterFolder">The adapter's folder, or null without one.</param>
    /// <param name="described">The folder that <paramref name="task"/> is of.</param>
    /// <param name="task">What it is for, or null where it doesn't say.</param>
    /// <param name="sentences">The model's folder: how a text becomes a vector with an adapter that doesn't say, as <see cref="TextEmbedder"/> has it.</param>
    internal static EncoderConfig Fitted(EncoderConfig config, string? adapterFolder, string described, TaskDescription? task, SentenceFolder? sentences)
    {
        if (task?.Kind is EmbeddingsTask vectors && adapterFolder is not null && sentences is not null && !SentenceFolder.Exists(adapterFolder)) config = config with { Task = vectors.With(sentences, task.MaxLength) };
        else if (task is not null) config = config with { Task = task.Kind.ForModel(described, task.MaxLength) };
        else if (adapterFolder is not null && AdapterFolder.TaskIn(adapterFolder) is { } said) config = config with { Task = said };
        int? labels = adapterFolder is null ? null : AdapterFolder.LabelsIn(adapterFolder, config);
        return labels is null && task is null ? config : config with
        {
            Labels = labels ?? task?.Outputs ?? config.Labels,
            LabelNames = task?.LabelNames ?? (labels is null || labels == config.Labels ? config.LabelNames : null),
        };
    }
}
