namespace LoRA2.Native.Encoders.Families;

/// <summary>XLM-RoBERTa (arXiv 1911.02116): RoBERTa's computation with a vocabulary for a hundred languages.</summary>
public sealed record XlmRobertaConfig : RobertaConfig
{
    /// <summary>xlm-roberta-base's sizes.</summary>
    public XlmRobertaConfig() => VocabularySize = 250002;

    /// <inheritdoc/>
    public override string ModelType => "xlm-roberta";

    /// <inheritdoc/>
    public override string Title => "XLM-RoBERTa";

    /// <inheritdoc/>
    public override string ClassName => "XLMRoberta";
}
