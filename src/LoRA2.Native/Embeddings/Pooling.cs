namespace LoRA2.Native.Embeddings;

/// <summary>How one vector is made of the hidden states of a text's tokens, its special tokens among them.</summary>
public enum Pooling
{
    /// <summary>The mean.</summary>
    Mean,

    /// <summary>The first token's, which BERT-like models call CLS.</summary>
    Cls,

    /// <summary>The largest of each dimension.</summary>
    Max,

    /// <summary>The sum divided by the square root of the number of tokens.</summary>
    MeanSqrtLength,

    /// <summary>The mean with weights 1, 2, 3, …, so that later tokens count more (arXiv 2202.08904).</summary>
    WeightedMean,

    /// <summary>The last token's.</summary>
    Last,
}
