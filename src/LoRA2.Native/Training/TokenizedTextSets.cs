using LoRA2.Native.Data;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Training;

/// <summary>Examples of several texts each, as many in every one, whose vectors are compared: pairs, triplets, an anchor with a positive and negatives.</summary>
internal sealed class TokenizedTextSets : TokenizedDataset
{
    /// <summary>Where each text ends, counted from its example's first token: [examples · texts].</summary>
    private readonly int[] ends;

    private TokenizedTextSets(TokenizedExamples examples, int[] ends, int texts, bool hasScores)
        : base(examples)
    {
        this.ends = ends;
        Texts = texts;
        HasScores = hasScores;
    }

    /// <summary>Texts of an example.</summary>
    public int Texts { get; }

    /// <summary>Whether each example has a number that says how alike its texts are.</summary>
    public bool HasScores { get; }

    /// <summary>Tokenizes examples, each text on its own. Of examples without scores the first text is a query and the others are documents, and have these prompts, where there are such.</summary>
    public static TokenizedTextSets Of(string name, IReadOnlyList<Example> examples, Tokenizer tokenizer, EncoderConfig config, EmbeddingSettings settings, int maxLength)
    {
        var tokenized = new TokenizedExamples(name, config);
        int texts = examples[0].Texts.Count();
        bool scored = examples[0].Target is not null;
        string usual = settings.DefaultPrompt is { } named ? settings.Prompts[named] : "";
        string query = scored ? usual : settings.PromptOf("query") ?? usual, document = scored ? usual : settings.PromptOf("document", "passage", "corpus") ?? usual;
        int[] ends = new int[examples.Count * texts];
        int at = 0;
        foreach (Example example in examples)
        {
            bool isCut = false;
            int start = tokenized.Ids.Count, first = at;
            foreach (string text in example.Texts)
            {
                isCut |= tokenizer.EncodePair(settings.TextOf(text, at == first ? query : document), null, maxLength, tokenized.Ids, tokenized.TypeIds);
                tokenized.EndText();
                ends[at++] = tokenized.Ids.Count - start;
            }

            tokenized.Close(isCut, [example.Target ?? float.NaN]);
        }

        return new TokenizedTextSets(tokenized, ends, texts, scored);
    }

    /// <summary>The ids of one text of an example.</summary>
    public ReadOnlySpan<int> IdsOf(int example, int text)
    {
        int last = (example * Texts) + text, start = text == 0 ? 0 : ends[last - 1];
        return IdsOf(example)[start..ends[last]];
    }

    /// <summary>The first texts of these examples, then their second ones, …: [texts · examples, length], padded to the longest.</summary>
    public EncoderBatch Columns(ReadOnlySpan<int> examples)
    {
        int length = 1;
        foreach (int example in examples)
        {
            for (int text = 0; text < Texts; text++) length = Math.Max(length, IdsOf(example, text).Length);
        }

        Shape shape = [Texts * examples.Length, length];
        Tensor ids = Tensor.Empty(shape, DType.Int32, Device.Cpu);
        ids.AsSpan<int>().Fill(PadId);
        Tensor mask = Tensor.Zeros(shape, DType.Int32, Device.Cpu);
        for (int text = 0; text < Texts; text++)
        {
            for (int i = 0; i < examples.Length; i++)
            {
                ReadOnlySpan<int> own = IdsOf(examples[i], text);
                int row = (text * examples.Length) + i;
                own.CopyTo(ids.AsSpan<int>()[(row * length)..]);
                mask.AsSpan<int>().Slice(row * length, own.Length).Fill(1);
            }
        }

        return new EncoderBatch(ids, mask, Tensor.Zeros(shape, DType.Int32, Device.Cpu));
    }
}
