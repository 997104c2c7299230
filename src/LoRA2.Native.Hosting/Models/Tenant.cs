using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Hosting.Models;

/// <summary>A model with or without an adapter, in one version, as a call knows it: what it can answer, and how texts become its tokens. Disposal lets go of the version.</summary>
/// <param name="name">What errors call it.</param>
/// <param name="tokenizer">The tokenizer.</param>
/// <param name="head">What predicts, or null.</param>
/// <param name="vectors">What makes vectors, or null.</param>
/// <param name="embeds">How a text becomes a vector; null where there are none.</param>
internal sealed class Tenant(string name, Tokenizer tokenizer, AdapterLease? head, AdapterLease? vectors, EmbeddingSettings? embeds) : IDisposable
{
    /// <summary>What errors call it.</summary>
    public string Name { get; } = name;

    public Tokenizer Tokenizer { get; } = tokenizer;

    /// <summary>What it predicts; null where it has no head.</summary>
    public TaskDescription? Task { get; } = head?.Task;

    /// <summary>How a text becomes a vector; null where it makes none.</summary>
    public EmbeddingSettings? Embeds { get; } = embeds;

    /// <summary>Numbers in a vector.</summary>
    public int Dimensions => For(TextWork.Embed).Config.HiddenSize;

    /// <summary>Tokens after which a text is cut for what the tenant does, predictions first; 0 for one that does nothing.</summary>
    public int MaxLength => (head ?? vectors)?.MaxLength ?? 0;

    /// <summary>The same for one kind of work.</summary>
    public int MaxLengthFor(TextWork work) => For(work).MaxLength;

    /// <summary>Refuses work that the model cannot do.</summary>
    /// <exception cref="NotSupportedException">It has no head, or makes no vectors.</exception>
    public void Require(TextWork work)
    {
        if (work == TextWork.Embed && vectors is null)
            throw new NotSupportedException($"{Name} is a classifier and makes no vectors: a sentence-transformers folder does, and so does any encoder when a pooling (mean, cls or max) is given at its start");
        if (work == TextWork.Predict && head is null) throw new NotSupportedException($"{Name} has no head and predicts nothing: ask for vectors, or name an adapter that was trained to predict");
    }

    /// <summary>A text or pair as tokens.</summary>
    /// <exception cref="TextTooLongException">It is longer than the model takes and must not be cut.</exception>
    /// <exception cref="InputException">Tokenizer and model don't belong together.</exception>
    public QueuedText Tokenise(TextWork work, string text, string? pair, bool truncates, int index)
    {
        AdapterLease lease = For(work);
        var ids = new List<int>();
        var typeIds = new List<int>();
        bool isCut = Tokenizer.EncodePair(text, pair, lease.MaxLength, ids, typeIds);
        if (isCut && !truncates) throw new TextTooLongException(index, lease.MaxLength);
        EncoderConfig config = lease.Config;
        if (ids.Count > config.LongestInput) throw new InputException($"the tokenizer's special tokens alone are {ids.Count}; the model has {config.LongestInput} positions");
        foreach (int id in ids)
        {
            if (id >= config.VocabularySize) throw new InputException($"the tokenizer gives id {id}, but the model's vocab_size is {config.VocabularySize}; they don't belong together");
        }

        return new QueuedText(lease, [.. ids], [.. typeIds], isCut);
    }

    /// <summary>Ids that a client made of a text by itself.</summary>
    /// <exception cref="TextTooLongException">As of <see cref="Tokenise"/>.</exception>
    /// <exception cref="InputException">One is no token of this model.</exception>
    public QueuedText Take(TextWork work, IReadOnlyList<int> ids, bool truncates, int index)
    {
        AdapterLease lease = For(work);
        int most = lease.MaxLength, vocabulary = lease.Config.VocabularySize;
        if (ids.Count == 0) throw new InputException($"input {index + 1} has no tokens; at least one was expected");
        if (ids.Count > most && !truncates) throw new TextTooLongException(index, most);
        foreach (int id in ids)
        {
            if (id < 0 || id >= vocabulary) throw new InputException($"input {index + 1} has the token {id}; {Name} has the tokens 0 to {vocabulary - 1:N0}");
        }

        int count = Math.Min(most, ids.Count);
        return new QueuedText(lease, [.. ids.Take(count)], new int[count], ids.Count > most);
    }

    public void Dispose()
    {
        head?.Dispose();
        vectors?.Dispose();
    }

    private AdapterLease For(TextWork work) => (work == TextWork.Predict ? head : vectors)!;
}
