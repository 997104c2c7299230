using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Training;

/// <summary>Stretches of text of which words are hidden: which word each token is of.</summary>
public sealed class MaskedDataset : TokenizedDataset
{
    private readonly int[][] words;

    internal MaskedDataset(TokenizedExamples examples, List<int[]> words, int maskId, int vocabulary)
        : base(examples) => (this.words, MaskId, Vocabulary) = ([.. words], maskId, vocabulary);

    /// <summary>The token that hides another.</summary>
    internal int MaskId { get; }

    /// <summary>Words of the vocabulary.</summary>
    internal int Vocabulary { get; }

    /// <summary>
    /// What is hidden of an example: words in an order drawn from a stream of numbers, until so many tokens are hidden; a word that would be too many is passed over. Of the hidden tokens
    /// eight tenths are the mask, a tenth a token drawn from the vocabulary, and a tenth what they were (BERT, arXiv 1810.04805, section 3.1, and its whole-word masking).
    /// </summary>
    /// <param name="example">The example.</param>
    /// <param name="share">The share of its tokens that is hidden.</param>
    /// <param name="wholeWords">Whether all tokens of a word are hidden together.</param>
    /// <param name="random">The numbers.</param>
    /// <returns>Places of the hidden tokens, in their order, with what stands there instead.</returns>
    internal List<(int Place, int Id)> Hide(int example, double share, bool wholeWords, Philox random)
    {
        int[] wordOf = words[example];
        List<List<int>> groups = [];
        for (int i = 0; i < wordOf.Length; i++)
        {
            if (wordOf[i] < 0) continue;
            if (wholeWords && groups.Count > 0 && i > 0 && wordOf[i - 1] == wordOf[i]) groups[^1].Add(i);
            else groups.Add([i]);
        }

        int tokens = groups.Sum(group => group.Count), wanted = Math.Max(1, (int)Math.Round(tokens * share));
        var hidden = new List<(int Place, int Id)>();
        if (tokens == 0) return hidden;
        int[] order = random.Permutation(groups.Count);
        List<int> places = [];
        foreach (int group in order)
        {
            if (places.Count >= wanted) break;
            if (places.Count > 0 && places.Count + groups[group].Count > wanted) continue;
            places.AddRange(groups[group]);
        }

        places.Sort();
        // Another stream than the order's.
        var fates = new Philox(random.Seed, ~random.Stream);
        for (int i = 0; i < places.Count; i++)
        {
            double fate = fates.DoubleAt(2 * (ulong)i);
            int id = fate < 0.8 ? MaskId : fate < 0.9 ? Math.Min(Vocabulary - 1, (int)(fates.DoubleAt((2 * (ulong)i) + 1) * Vocabulary)) : IdsOf(example)[places[i]];
            hidden.Add((places[i], id));
        }

        return hidden;
    }
}
