using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Inference;

/// <summary>A stretch of a text that a model has given a label.</summary>
/// <param name="Label">Its type without B- or I-, or the whole tag without aggregation.</param>
/// <param name="Score">The mean probability of its tokens' or words' tags.</param>
/// <param name="Start">Its first character, UTF-16.</param>
/// <param name="End">The place after its last character.</param>
/// <param name="Text">That stretch of the text.</param>
public readonly record struct EntitySpan(string Label, double Score, int Start, int End, string Text);

/// <summary>What a model says of the words of one text.</summary>
/// <param name="Spans">In their order.</param>
/// <param name="IsCut">Whether the text was longer than <see cref="TokenClassifier.MaxLength"/>, so that the model has not seen its end.</param>
public sealed record TaggedText(IReadOnlyList<EntitySpan> Spans, bool IsCut);

/// <summary>A fine-tuned encoder with its tokenizer that finds names, places and the like: text in, spans out. Any number of threads may ask at once.</summary>
/// <example><code>
/// using var tagger = TokenClassifier.Load("bert-base-cased", "my-adapter");
/// foreach (EntitySpan span in tagger.Predict("Angela Merkel visited São Paulo.").Spans) Console.WriteLine($"{span.Text}: {span.Label}");
/// </code></example>
public sealed class TokenClassifier : IDisposable
{
    private readonly TextModel inner;

    /// <summary>Answers with a model, which is its own from then on.</summary>
    /// <exception cref="InputException">The model is for another kind of task.</exception>
    public TokenClassifier(TextModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        inner = model.Task.Kind is TokenTask ? model : throw new InputException($"the model's task is {model.Task.Kind} ({model.Task.Kind.Title}); tokens was expected");
    }

    /// <summary>The encoder and head.</summary>
    public SequenceClassifier Model => inner.Model;

    /// <summary>Its tokenizer.</summary>
    public Tokenizer Tokenizer => inner.Tokenizer;

    /// <summary>What it predicts.</summary>
    public TaskDescription Task => inner.Task;

    /// <summary>Tokens after which a text is cut.</summary>
    public int MaxLength => inner.MaxLength;

    /// <summary>Loads a HuggingFace folder, and an adapter onto it when one is given.</summary>
    /// <inheritdoc cref="TextModel.Load" path="/param"/>
    /// <exception cref="InputException">As of <see cref="TextModel.Load"/>, or the model is for another kind of task.</exception>
    public static TokenClassifier Load(string modelFolder, string? adapterFolder = null, Precision precision = Precision.Float32, int? maxLength = null)
    {
        TextModel model = TextModel.Load(modelFolder, adapterFolder, precision, maxLength);
        try
        {
            return new TokenClassifier(model);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The spans of one text.</summary>
    public TaggedText Predict(string text, SpanAggregation aggregation = SpanAggregation.First)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Predict([text], aggregation)[0];
    }

    /// <summary>The spans of many texts, in batches of similar length.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="aggregation">How tokens become spans.</param>
    /// <param name="batchSize">Texts computed together.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    public IReadOnlyList<TaggedText> Predict(IReadOnlyList<string> texts, SpanAggregation aggregation = SpanAggregation.First, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (texts.Count == 0) return [];
        TokenizedDataset data = inner.Tokenize("input", [.. texts.Select(text => new Example(text))]);
        float[][] logits = Evaluator.Logits(Model, data, batchSize, cancellation);
        var spans = new SpanAggregator(Tokenizer, Task.LabelNames!, aggregation);
        return [.. texts.Select((text, i) => new TaggedText(spans.Of(text, Tokenizer.EncodePlaced(text, null, MaxLength), logits[i]), data.IsCut(i)))];
    }

    /// <summary>The tag of each word of texts that were divided already; of words that were cut off none (<see cref="EntityTags.Outside"/>).</summary>
    public IReadOnlyList<IReadOnlyList<string>> PredictWords(IReadOnlyList<IReadOnlyList<string>> texts, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (texts.Count == 0) return [];
        var data = (TaggedDataset)inner.Tokenize("input", [.. texts.Select(words => new Example(string.Join(' ', words)) { Words = words })]);
        float[][] logits = Evaluator.Logits(Model, data, batchSize, cancellation);
        IReadOnlyList<string> names = Task.LabelNames!;
        return [.. texts.Select((_, i) => (IReadOnlyList<string>)[.. data.FirstTokens(i).ToArray().Select(token => token < 0 ? EntityTags.Outside : names[TokenTask.Largest(logits[i], token, names.Count)])])];
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
