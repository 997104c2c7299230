namespace LoRA2.Native.Encoders.Families;

/// <summary>CamemBERT (arXiv 1911.03894): RoBERTa's computation, pretrained on French.</summary>
public sealed record CamembertConfig : RobertaConfig
{
    /// <summary>camembert-base's sizes.</summary>
    public CamembertConfig() => VocabularySize = 32005;

    /// <inheritdoc/>
    public override string ModelType => "camembert";

    /// <inheritdoc/>
    public override string Title => "CamemBERT";

    /// <inheritdoc/>
    public override string ClassName => "Camembert";
}
