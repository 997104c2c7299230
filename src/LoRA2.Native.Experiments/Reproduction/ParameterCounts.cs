using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Experiments.Reproduction;

/// <summary>
/// Trained parameters of an encoder of some shape, without its weights. Every layer is like the others, and so is every word: the count grows evenly with both, and models of
/// one layer and two, and of some words and one more, tell it all.
/// </summary>
public static class ParameterCounts
{
    private const int FewWords = 8;

    /// <summary>What a method trains beside the head.</summary>
    /// <exception cref="InputException">A target matches nothing.</exception>
    public static long Of(EncoderConfig config, AdapterSettings settings)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(settings);
        int words = FewWords + config.PadTokenId;
        long one = Counted(config, 1, words, settings);
        long layer = Counted(config, 2, words, settings) - one, word = Counted(config, 1, words + 1, settings) - one;
        return one + (layer * (config.Layers - 1)) + (word * (config.VocabularySize - words));
    }

    private static long Counted(EncoderConfig config, int layers, int words, AdapterSettings settings)
    {
        // Weights of zero take no time to make.
        using SequenceClassifier model = SequenceClassifier.Create(config with { Layers = layers, VocabularySize = words, InitializerRange = 0 });
        model.Attach(settings, 0);
        return model.AdapterParameterCount();
    }
}
