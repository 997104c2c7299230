namespace LoRA2.Native.Tokenizers;

/// <summary>One model input: a text or a pair of texts with special tokens, not padded.</summary>
/// <param name="Ids">Token ids, [length].</param>
/// <param name="TypeIds">Segment of each token, [length]: 0 or 1; all 0 for RoBERTa.</param>
public sealed record EncodedInput(int[] Ids, int[] TypeIds)
{
    /// <summary>Ones, [length]: every token here is real; a batch that pads adds zeros.</summary>
    public int[] AttentionMask
    {
        get
        {
            var mask = new int[Ids.Length];
            Array.Fill(mask, 1);
            return mask;
        }
    }
}
