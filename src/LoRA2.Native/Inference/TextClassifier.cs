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
    /// <summary>The labels, of a model of several a text, whose probability reaches their threshold, in the labels' order; else null.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>The numbers, of a model of several, each by its name; else null.</summary>
    public IReadOnlyList<KeyValuePair<string, double>>? Scores { get; init; }

    /// <summary>Tokens that the model has seen of the text, special ones included.</summary>
    public int Tokens { get; init; }

    /// <summary>The head's outputs, of which the rest is made.</summary>
    public IReadOnlyList<float> Logits { get; init; } = [];
}

/// <summary>
/// A fine-tuned encoder with its tokenizer: text in, label or number out. Any number of threads may ask at once, and each call's answers are of one version of the model; a call that comes while
/// another disposes is answered or throws <see cref="ObjectDisposedException"/>.
/// </summary>
/// <example><code>
/// using var classifier = TextClassifier.Load("deberta-v3-base", "my-adapter");
/// Prediction answer = classifier.Predict("My parcel never arrived.");
/// </code></example>
public sealed class TextClassifier : IDisposable
{
    private readonly TextModel inner;

    /// <summary>Answers with a model, which is its own from then on.</summary>
    /// <exception cref="InputException">The model says something of words, not of texts.</exception>
    public TextClassifier(TextModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        inner = model.Task.Kind.AnswersTexts ? model : throw new InputException($"the model's task is {model.Task.Kind} ({model.Task.Kind.Title}); one whose answers are of whole texts was expected");
    }

    /// <summary>The encoder and head.</summary>
    public SequenceClassifier Model => inner.Model;

    /// <summary>Its tokenizer.</summary>
    public Tokenizer Tokenizer => inner.Tokenizer;

    /// <summary>What it predicts.</summary>
    public TaskDescription Task => inner.Task;

    /// <summary>Tokens after which an input is cut: the model's limit, what it was fine-tuned with, or what was asked for.</summary>
    public int MaxLength => inner.MaxLength;

    /// <summary>The shape of the adapter on it, or null without one.</summary>
    public AdapterSettings? Adapter => inner.Adapter;

    /// <summary>Loads a HuggingFace folder, and an adapter onto it when one is given.</summary>
    /// <inheritdoc cref="TextModel.Load" path="/param"/>
    /// <exception cref="InputException">As of <see cref="TextModel.Load"/>, or the model says something of words, not of texts.</exception>
    public static TextClassifier Load(string modelFolder, string? adapterFolder = null, Precision precision = Precision.Float32, int? maxLength = null)
    {
        TextModel model = TextModel.Load(modelFolder, adapterFolder, precision, maxLength);
        try
        {
            return new TextClassifier(model);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Predicts one text or pair.</summary>
    public Prediction Predict(string text, string? pair = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Predict([new Example(text, pair)])[0];
    }

    /// <summary>Predicts many, in batches of similar length.</summary>
    public IReadOnlyList<Prediction> Predict(IReadOnlyList<Example> examples, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (examples.Count == 0) return [];
        TokenizedDataset data = inner.Tokenize("input", examples);
        float[][] logits = Evaluator.Logits(Model, data, batchSize, cancellation);
        return [.. logits.Select((row, i) => Task.Kind.Interpret(row, Task.LabelNames, data.IsCut(i)) with { Tokens = data.Length(i), Logits = row })];
    }

    /// <summary>Scores the model on labelled data.</summary>
    public Evaluation Evaluate(Dataset data, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        return inner.Evaluate(data, batchSize, cancellation);
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => inner.Dispose();
}
