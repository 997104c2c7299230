using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Hosting.Models;

/// <summary>One version of a model with or without an adapter, as requests know it: what it can answer, and how texts become its tokens.</summary>
/// <param name="name">What errors call it.</param>
/// <param name="adapter">The adapter's name, or null.</param>
/// <param name="tokenizer">The tokenizer.</param>
internal abstract class Tenant(string name, string? adapter, Tokenizer tokenizer)
{
    /// <summary>What errors call it.</summary>
    public string Name { get; } = name;

    /// <summary>The adapter's name, or null for the model alone.</summary>
    public string? Adapter { get; } = adapter;

    public Tokenizer Tokenizer { get; } = tokenizer;

    /// <summary>What it predicts; null where it has no head.</summary>
    public abstract TaskDescription? Task { get; }

    /// <summary>How a text becomes a vector; null where it gives none.</summary>
    public abstract EmbeddingSettings? Embeds { get; }

    /// <summary>The shape of the model that does the work.</summary>
    protected abstract EncoderConfig ConfigFor(TextWork work);

    /// <summary>Numbers in a vector.</summary>
    public int Dimensions => ConfigFor(TextWork.Embed).HiddenSize;

    /// <summary>Tokens after which a text is cut.</summary>
    public abstract int MaxLengthFor(TextWork work);

    /// <summary>Refuses work that the model cannot do.</summary>
    /// <exception cref="NotSupportedException">It has no head, or makes no vectors.</exception>
    public void Require(TextWork work)
    {
        if (work == TextWork.Embed && Embeds is null)
            throw new NotSupportedException($"{Name} is a classifier and makes no vectors: a sentence-transformers folder does, and so does any encoder when a pooling (mean, cls or max) is given at its start");
        if (work == TextWork.Predict && Task is null) throw new NotSupportedException($"{Name} has no head and predicts nothing: ask for vectors, or name an adapter that was trained to predict");
        if (work == TextWork.Predict && !Task!.Kind.AnswersTexts) throw new NotSupportedException($"{Name} answers {Task.Kind.Name} ({Task.Kind.Title}), not whole texts");
    }

    /// <summary>A text or pair as tokens.</summary>
    /// <exception cref="TextTooLongException">It is longer than the model takes and must not be cut.</exception>
    public QueuedText Tokenise(TextWork work, string text, string? pair, bool truncates, int index)
    {
        var ids = new List<int>();
        var typeIds = new List<int>();
        int most = MaxLengthFor(work);
        bool isCut = Tokenizer.EncodePair(text, pair, most, ids, typeIds);
        if (isCut && !truncates) throw new TextTooLongException(index, most);
        return Checked(work, [.. ids], [.. typeIds], isCut);
    }

    /// <summary>Ids that a client made of a text by itself.</summary>
    /// <exception cref="TextTooLongException">As of <see cref="Tokenise"/>.</exception>
    /// <exception cref="InputException">One is no token of this model.</exception>
    public QueuedText Take(TextWork work, IReadOnlyList<int> ids, bool truncates, int index)
    {
        int most = MaxLengthFor(work), vocabulary = ConfigFor(work).VocabularySize;
        if (ids.Count == 0) throw new InputException($"input {index + 1} has no tokens; at least one was expected");
        if (ids.Count > most && !truncates) throw new TextTooLongException(index, most);
        foreach (int id in ids)
        {
            if (id < 0 || id >= vocabulary) throw new InputException($"input {index + 1} has the token {id}; {Name} has the tokens 0 to {vocabulary - 1:N0}");
        }

        int count = Math.Min(most, ids.Count);
        return new QueuedText(this, work, [.. ids.Take(count)], new int[count], ids.Count > most);
    }

    private QueuedText Checked(TextWork work, int[] ids, int[] typeIds, bool isCut)
    {
        EncoderConfig config = ConfigFor(work);
        foreach (int id in ids)
        {
            if (id >= config.VocabularySize) throw new InputException($"the tokenizer gives id {id}, but the model's vocab_size is {config.VocabularySize}; they don't belong together");
        }

        return new QueuedText(this, work, ids, typeIds, isCut);
    }
}
