using LoRA2.Native.Embeddings;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Hosting.Models;

/// <summary>A model with or without an adapter, in one version, as a call knows it: what it can answer, and how texts become its tokens. Disposal lets go of the version.</summary>
/// <param name="name">What errors call it.</param>
/// <param name="tokenizer">The tokenizer.</param>
/// <param name="head">What predicts, or null.</param>
/// <param name="vectors">What makes vectors, or null.</param>
internal sealed class Tenant(string name, Tokenizer tokenizer, AdapterLease? head, AdapterLease? vectors) : IDisposable
{
    /// <summary>What errors call it.</summary>
    public string Name { get; } = name;

    /// <summary>What it predicts; null where it has no head.</summary>
    public TaskDescription? Task { get; } = head?.Task;

    /// <summary>How a text becomes a vector; null where it makes none.</summary>
    public EmbeddingSettings? Embeds { get; } = vectors?.Embeds;

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
        var tokens = new TokenizedExamples(Name, lease.Config);
        bool isCut = tokenizer.EncodePair(text, pair, lease.MaxLength, tokens.Ids, tokens.TypeIds);
        if (isCut && !truncates) throw new TextTooLongException(index, lease.MaxLength);
        tokens.EndText();
        return new QueuedText(lease, [.. tokens.Ids], [.. tokens.TypeIds], isCut);
    }

    /// <summary>Ids that a client made of a text by itself.</summary>
    /// <exception cref="TextTooLongException">As of <see cref="Tokenise"/>.</exception>
    /// <exception cref="ArgumentException">There are none, or one is no token of this model.</exception>
    public QueuedText Take(TextWork work, IReadOnlyList<int> ids, bool truncates, int index)
    {
        AdapterLease lease = For(work);
        int most = lease.MaxLength, vocabulary = lease.Config.VocabularySize;
        if (ids.Count == 0) throw new ArgumentException($"input {index + 1} has no tokens; at least one was expected");
        if (ids.Count > most && !truncates) throw new TextTooLongException(index, most);
        foreach (int id in ids)
        {
            if (id < 0 || id >= vocabulary) throw new ArgumentException($"input {index + 1} has the token {id}; {Name} has the tokens 0 to {vocabulary - 1:N0}");
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
