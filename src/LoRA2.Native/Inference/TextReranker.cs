using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tensors;
using LoRA2.Native.Training;

namespace LoRA2.Native.Inference;

/// <summary>A text that was ranked.</summary>
/// <param name="Index">Its number among those that were given.</param>
/// <param name="Score">How well it fits: the model's number, or the probability of its second class.</param>
/// <param name="IsCut">Whether query and text together were longer than the model takes, so that it has not seen their end.</param>
public readonly record struct RankedText(int Index, double Score, bool IsCut);

/// <summary>
/// A cross-encoder: it reads a query and a text together and says how well they fit, which is slower than comparing vectors and better, so that it orders what a search found. Any sequence
/// classifier with one output or two classes is one. Any number of threads may ask at once.
/// </summary>
public sealed class TextReranker : IDisposable
{
    private TextReranker(TextClassifier classifier) => Classifier = classifier;

    /// <summary>The classifier of pairs.</summary>
    public TextClassifier Classifier { get; }

    /// <summary>Loads a HuggingFace folder, and an adapter onto it when one is given.</summary>
    /// <param name="modelFolder">The model's folder.</param>
    /// <param name="adapterFolder">The adapter's, or null.</param>
    /// <param name="precision">The precision of the encoder's matrix products.</param>
    /// <param name="maxLength">Tokens after which query and text together are cut, the longer of them first; null as for <see cref="TextClassifier.Load"/>.</param>
    /// <exception cref="InputException">As of <see cref="TextClassifier.Load"/>, or the model has more than two classes, or two numbers or labels that are no classes.</exception>
    public static TextReranker Load(string modelFolder, string? adapterFolder = null, Precision precision = Precision.Float32, int? maxLength = null)
    {
        TextClassifier classifier = TextClassifier.Load(modelFolder, adapterFolder, precision, maxLength);
        EncoderConfig config = classifier.Model.Config;
        if (WhyNot(config.Kind, config.Labels) is not { } fault) return new TextReranker(classifier);
        classifier.Dispose();
        throw new InputException($"{adapterFolder ?? modelFolder}: the model {fault}");
    }

    /// <summary>The texts that fit a query best, the best first; of equal ones the earlier.</summary>
    /// <param name="query">What is looked for.</param>
    /// <param name="texts">What is ranked.</param>
    /// <param name="count">How many come back; null for all.</param>
    /// <param name="batchSize">Pairs computed together.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    /// <exception cref="ObjectDisposedException">The reranker was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<RankedText> Rank(string query, IReadOnlyList<string> texts, int? count = null, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(texts);
        if (count is { } asked) ArgumentOutOfRangeException.ThrowIfNegative(asked, nameof(count));
        IReadOnlyList<RankedText> ranked = Ranked(Classifier.Predict([.. texts.Select(text => new Example(query, text))], batchSize, cancellation));
        return count is null ? ranked : [.. ranked.Take(count.Value)];
    }

    /// <summary>Scores the order of each query's documents, whatever the model was trained for.</summary>
    /// <param name="data">As <see cref="RankingTask"/> reads them, with relevances.</param>
    /// <param name="batchSize">Pairs computed together.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    /// <exception cref="InputException">No document is relevant, or one has no relevance.</exception>
    public Evaluation Evaluate(Dataset data, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (!data.HasTargets) throw new InputException($"{data.Name} has no relevances to score against");
        var kind = (RankingTask)TaskKinds.Ranking;
        TokenizedDataset pairs = kind.Tokenize(data.Name, data.Examples, Classifier.Tokenizer, Classifier.Model.Config, Classifier.MaxLength);
        return kind.Score(Evaluator.Logits(Classifier.Model, pairs, batchSize, cancellation), pairs, kind.MetricsFor(1), null);
    }

    /// <summary>Frees the model, when the calls that are under way have ended.</summary>
    public void Dispose() => Classifier.Dispose();

    /// <summary>What keeps a model of so many outputs from being a reranker, as the rest of a sentence about it; null where nothing does.</summary>
    internal static string? WhyNot(TaskKind kind, int outputs) =>
        outputs == 1 || (outputs == 2 && kind is ClassificationTask or RankingTask) ? null
        : $"has {outputs} outputs ({kind.Title}); a reranker has one, or two classes of which the second is that a text fits";

    /// <summary>Texts in the order of what was said of each beside the query, the best first; of equal ones the earlier.</summary>
    internal static IReadOnlyList<RankedText> Ranked(IReadOnlyList<Prediction> answers) =>
        [.. answers.Select(static (answer, i) => new RankedText(i, answer.Probabilities is { Count: 2 } classes ? classes[1] : answer.Score, answer.IsCut)).OrderByDescending(static text => text.Score)];
}
