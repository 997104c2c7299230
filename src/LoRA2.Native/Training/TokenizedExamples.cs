using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Training;

/// <summary>Examples on their way to a <see cref="TokenizedDataset"/>: ids and segments are added to the end of the lists, and <see cref="Close"/> makes an example of them.</summary>
/// <param name="name">What the data is called.</param>
/// <param name="config">The model that the ids are for.</param>
public sealed class TokenizedExamples(string name, EncoderConfig config)
{
    private readonly EncoderConfig config = config ?? throw new ArgumentNullException(nameof(config));

    /// <summary>What the data is called.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));

    /// <summary>Token ids of all examples, one after the other.</summary>
    public List<int> Ids { get; } = [];

    /// <summary>Segment of each token.</summary>
    public List<int> TypeIds { get; } = [];

    /// <summary>What fills up a batch.</summary>
    internal int PadId => config.PadTokenId;

    /// <summary>Where each example begins, and where the last ends.</summary>
    internal List<int> Starts { get; } = [0];

    internal List<bool> Cut { get; } = [];

    internal List<float[]?> Targets { get; } = [];

    private int textStart;

    /// <summary>Ends one of several texts of an example, each of which the model takes on its own.</summary>
    /// <exception cref="InputException">As of <see cref="Close"/>.</exception>
    public void EndText()
    {
        int length = Ids.Count - textStart;
        if (TypeIds.Count != Ids.Count) throw new InvalidOperationException($"{Ids.Count} ids and {TypeIds.Count} segments were added; as many were expected");
        if (length > config.LongestInput) throw new InputException($"the tokenizer's special tokens alone are {length}; the model has {config.LongestInput} positions");
        for (int i = textStart; i < Ids.Count; i++)
        {
            if (Ids[i] >= config.VocabularySize) throw new InputException($"the tokenizer gives id {Ids[i]}, but the model's vocab_size is {config.VocabularySize}; they don't belong together");
            if (config.TypeVocabularySize > 0 && TypeIds[i] >= config.TypeVocabularySize && TypeIds[i] > 0)
                throw new InputException($"the tokenizer gives token type {TypeIds[i]}, but the model's type_vocab_size is {config.TypeVocabularySize}; they don't belong together");
        }

        textStart = Ids.Count;
    }

    /// <summary>Makes an example of the ids added since the last.</summary>
    /// <param name="isCut">Whether it was longer.</param>
    /// <param name="targets">What is to be predicted of it, or null.</param>
    /// <exception cref="InputException">An id or the length is not the model's: tokenizer and model don't belong together.</exception>
    public void Close(bool isCut, float[]? targets)
    {
        EndText();
        Starts.Add(Ids.Count);
        Cut.Add(isCut);
        Targets.Add(targets);
    }
}
