using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Inference;

/// <summary>A model of any kind of task with its tokenizer: what <see cref="TextClassifier"/> and <see cref="TokenClassifier"/> answer with.</summary>
public sealed class TextModel : IDisposable
{
    private TextModel(SequenceClassifier model, Tokenizer tokenizer, TaskDescription task, AdapterSettings? adapter, int maxLength) =>
        (Model, Tokenizer, Task, Adapter, MaxLength) = (model, tokenizer, task, adapter, maxLength);

    /// <summary>The encoder and head.</summary>
    public SequenceClassifier Model { get; }

    /// <summary>Its tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>What it predicts.</summary>
    public TaskDescription Task { get; }

    /// <summary>Tokens after which an input is cut: the model's limit, what it was fine-tuned with, or what was asked for.</summary>
    public int MaxLength { get; }

    /// <summary>The shape of the adapter on it, or null without one.</summary>
    public AdapterSettings? Adapter { get; }

    /// <summary>Loads a HuggingFace folder, and an adapter onto it when one is given.</summary>
    /// <param name="modelFolder">The model's folder.</param>
    /// <param name="adapterFolder">The adapter's, or null.</param>
    /// <param name="precision">The precision of the encoder's matrix products.</param>
    /// <param name="maxLength">Tokens after which an input is cut; null for what it was fine-tuned with, or else the model's limit, see <see cref="InputLength"/>.</param>
    /// <exception cref="InputException">A file is missing or damaged, the adapter does not fit the model, or the model takes no input of that length.</exception>
    public static TextModel Load(string modelFolder, string? adapterFolder = null, Precision precision = Precision.Float32, int? maxLength = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelFolder);
        if (adapterFolder is not null) ArgumentException.ThrowIfNullOrEmpty(adapterFolder);
        LoadedModel loaded = LoadedModel.Load(modelFolder, adapterFolder, precision);
        try
        {
            Tokenizer tokenizer = Tokenizer.FromFolder(modelFolder);
            loaded.Model.Check(tokenizer);
            TaskDescription task = loaded.Task ?? Described(loaded.Model.Config);
            int length = LengthOf(loaded.Model.Config, tokenizer, task, maxLength);
            return new TextModel(loaded.Model, tokenizer, task, loaded.Adapter, length);
        }
        catch
        {
            loaded.Model.Dispose();
            throw;
        }
    }

    /// <summary>Examples as the model takes them.</summary>
    /// <exception cref="InputException">Tokenizer and model don't belong together.</exception>
    public TokenizedDataset Tokenize(string name, IReadOnlyList<Example> examples)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(examples);
        return TokenizedDataset.Create(name, examples, Tokenizer, Model.Config, MaxLength);
    }

    /// <summary>Scores the model on labelled data.</summary>
    public Evaluation Evaluate(Dataset data, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        return Evaluator.Evaluate(Model, Tokenize(data.Name, data.Examples), Task.Metrics, batchSize, cancellation);
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => Model.Dispose();

    /// <summary>Tokens after which an input is cut: what was asked for, or else what the model was fine-tuned with, as far as it has positions, or else its limit.</summary>
    internal static int LengthOf(EncoderConfig config, Tokenizer tokenizer, TaskDescription task, int? asked) =>
        InputLength.Of(config, tokenizer, asked ?? (task.MaxLength is { } trained ? Math.Min(trained, config.LongestInput) : null), asked is null ? $"max_length of {TaskDescription.FileName}" : "the longest input");

    /// <summary>What can be said of a model that nobody here fine-tuned.</summary>
    internal static TaskDescription Described(EncoderConfig config)
    {
        IReadOnlyList<string>? names = config.LabelNames;
        if (names is null && config.Kind.NamesOutputs) names = [.. Enumerable.Range(0, config.Labels).Select(i => $"LABEL_{i}")];
        return new TaskDescription("", config.Labels == 1 && !config.Kind.NamesOutputs ? null : names, null, config.Kind.MetricsFor(config.Labels)) { Kind = config.Kind };
    }
}
