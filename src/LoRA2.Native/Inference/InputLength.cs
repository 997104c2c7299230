using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Inference;

/// <summary>How many tokens an input may have before it is cut: the model's limit, not one of ours.</summary>
public static class InputLength
{
    /// <summary>
    /// As many as the model was meant for: its tokenizer's <c>model_max_length</c>, where it has positions for them; without that its positions. A model with relative
    /// positions alone has no end of them; <c>max_position_embeddings</c> is what it was trained with.
    /// </summary>
    public static int LimitOf(EncoderConfig config, Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(tokenizer);
        return Math.Min(tokenizer.ModelMaxLength ?? int.MaxValue, config.LongestInput == int.MaxValue && tokenizer.ModelMaxLength is null ? config.MaxPositions : config.LongestInput);
    }

    /// <summary>The limit, or the lower one that was asked for.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="asked">Tokens after which to cut; null for the model's limit.</param>
    /// <exception cref="InputException">The model has not so many positions, or the number is not positive.</exception>
    public static int Of(EncoderConfig config, Tokenizer tokenizer, int? asked)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (asked is not { } length) return LimitOf(config, tokenizer);
        if (length < 1) throw new InputException($"the longest input is {length} tokens; at least 1 was expected");
        return length <= config.LongestInput ? length : throw new InputException($"the longest input is {length} tokens; the model has {config.LongestInput} positions");
    }
}
