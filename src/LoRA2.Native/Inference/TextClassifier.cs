using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Inference;

/// <summary>What a model says of one text.</summary>
/// <param name="Label">The class's name, or its index when it has none; null for regression and for several labels.</param>
/// <param name="Score">The class's probability, the likeliest label's, or the predicted number.</param>
/// <param name="Probabilities">The probability of every class or label; null for regression.</param>
/// <param name="IsCut">Whether the text was longer than <see cref="TextClassifier.MaxLength"/>, so that the model has not seen its end.</param>
public sealed record Prediction(string? Label, double Score, IReadOnlyList<double>? Probabilities, bool IsCut = false)
{
    /// <summary>Of a model of several labels a text: those whose probability reaches their threshold, in the labels' order; else null.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Of a model of several numbers: each by its name; else null.</summary>
    public IReadOnlyList<KeyValuePair<string, double>>? Scores { get; init; }
}

/// <summary>A fine-tuned encoder with its tokenizer: text in, label or number out.</summary>
/// <example><code>
/// using var classifier = TextClassifier.Load("deberta-v3-base", "my-adapter");
/// Prediction answer = classifier.Predict("My parcel never arrived.");
/// </code></example>
public sealed class TextClassifier : IDisposable
{
    private TextClassifier(SequenceClassifier model, Tokenizer tokenizer, TaskDescription task, AdapterSettings? adapter, int maxLength)
    {
        MaxLength = maxLength;
        Model = model;
        Tokenizer = tokenizer;
        Task = task;
        Adapter = adapter;
    }

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
    public static TextClassifier Load(string modelFolder, string? adapterFolder = null, Precision precision = Precision.Float32, int? maxLength = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelFolder);
        if (adapterFolder is not null) ArgumentException.ThrowIfNullOrEmpty(adapterFolder);
        LoadedModel loaded = LoadedModel.Load(modelFolder, adapterFolder, precision);
        try
        {
            Tokenizer tokenizer = Tokenizer.FromFolder(modelFolder);
            TaskDescription task = loaded.Task ?? Described(loaded.Model.Config);
            int length = InputLength.Of(loaded.Model.Config, tokenizer, maxLength ?? (task.MaxLength is { } trained ? Math.Min(trained, loaded.Model.Config.LongestInput) : null));
            return new TextClassifier(loaded.Model, tokenizer, task, loaded.Adapter, length);
        }
        catch
        {
            loaded.Model.Dispose();
            throw;
        }
    }

    /// <summary>Predicts one text or pair.</summary>
    public Prediction Predict(string text, string? pair = null) => Predict([new Example(text, pair)])[0];

    /// <summary>Predicts many, in batches of similar length.</summary>
    public IReadOnlyList<Prediction> Predict(IReadOnlyList<Example> examples, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (examples.Count == 0) return [];
        TokenizedDataset data = TokenizedDataset.Create("input", examples, Tokenizer, Model.Config, MaxLength);
        float[][] logits = Evaluator.Logits(Model, data, batchSize, cancellation);
        return [.. logits.Select((row, i) => Task.Kind.Interpret(row, Task.LabelNames, data.IsCut(i)))];
    }

    /// <summary>Scores the model on labelled data.</summary>
    public Evaluation Evaluate(Dataset data, int batchSize = 32, CancellationToken cancellation = default)
    {
        TokenizedDataset tokens = TokenizedDataset.Create(data.Name, data.Examples, Tokenizer, Model.Config, MaxLength);
        return Evaluator.Evaluate(Model, tokens, Task.Metrics, batchSize, cancellation);
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => Model.Dispose();

    /// <summary>What can be said of a model that nobody here fine-tuned.</summary>
    private static TaskDescription Described(EncoderConfig config)
    {
        IReadOnlyList<string>? names = config.LabelNames;
        if (names is null && config.Kind.NamesOutputs) names = [.. Enumerable.Range(0, config.Labels).Select(i => $"LABEL_{i}")];
        return new TaskDescription("", config.Labels == 1 && !config.Kind.NamesOutputs ? null : names, null, config.Kind.MetricsFor(config.Labels)) { Kind = config.Kind };
    }
}
