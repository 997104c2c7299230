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
    /// <exception cref="InputException">The model has not so many positions, or they leave no place for a text's own tokens.</exception>
    public static int Of(EncoderConfig config, Tokenizer tokenizer, int? asked) => Of(config, tokenizer, asked, "the longest input");

    /// <summary>The same.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="asked">Tokens after which to cut; null for the model's limit.</param>
    /// <param name="what">Where the number was said, for messages.</param>
    internal static int Of(EncoderConfig config, Tokenizer tokenizer, int? asked, string what)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(tokenizer);
        int length = asked ?? LimitOf(config, tokenizer);
        if (asked is null) what = length == tokenizer.ModelMaxLength ? "model_max_length of tokenizer_config.json" : $"max_position_embeddings of {ModelFolder.ConfigFile}";
        if (length < 1) throw new InputException($"{what} is {length} tokens; at least 1 was expected");
        if (length > config.LongestInput) throw new InputException($"{what} is {length} tokens; the model has {config.LongestInput} positions");
        // Else every text would be answered as if it were empty.
        return tokenizer.Encode("").Length is var special && length > special ? length : throw new InputException($"{what} is {length} tokens, and an input has {special} special ones beside its text; at least {special + 1} was expected");
    }
}
