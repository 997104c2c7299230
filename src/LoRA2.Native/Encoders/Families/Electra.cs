using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders.Families;

/// <summary>ELECTRA (arXiv 2003.10555): BERT's layers; the embeddings may be narrower than the hidden states, and are then projected.</summary>
public sealed record ElectraConfig : EncoderConfig
{
    /// <summary>The sizes of electra-base-discriminator.</summary>
    public ElectraConfig() => TypeVocabularySize = 2;

    /// <inheritdoc/>
    public override string ModelType => "electra";

    /// <inheritdoc/>
    public override string Title => "ELECTRA";

    /// <inheritdoc/>
    public override string ClassName => "Electra";

    /// <inheritdoc/>
    public override string Prefix => "electra";

    /// <inheritdoc/>
    public override LayerNames Names => BertConfig.LayerNames;

    /// <inheritdoc/>
    public override string ClassifierName => "classifier.out_proj";

    /// <summary>Width of the embeddings.</summary>
    public int EmbeddingSize { get; init; } = 768;

    /// <inheritdoc/>
    public override EncoderConfig Read(ConfigFields fields)
    {
        fields.OneOf("position_embedding_type", "absolute", ["absolute"]);
        fields.Ignore("summary_activation", "summary_last_dropout", "summary_type", "summary_use_proj", "generator_hidden_size");
        return ReadUsual(this, fields) with
        {
            EmbeddingSize = fields.Int("embedding_size", 128, 1),
            TypeVocabularySize = fields.Int("type_vocab_size", TypeVocabularySize, 0),
            ClassifierDropout = fields.OptionalNumber("classifier_dropout", 0, 0.999),
        };
    }

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ParameterSource source)
    {
        IEmbeddings embeddings = new AbsoluteEmbeddings(this, source, $"{Prefix}.embeddings", width: EmbeddingSize);
        if (EmbeddingSize != HiddenSize) embeddings = new ProjectedEmbeddings(embeddings, source.Linear($"{Prefix}.embeddings_project", EmbeddingSize, HiddenSize));
        return new Encoder(embeddings, [.. LayerPaths.Select(path => new PostNormLayer(this, source, path, new SelfAttention(this, source, path)))]);
    }

    /// <inheritdoc/>
    public override EncoderHead CreateMaskedHead(ParameterSource source) =>
        new MaskedHead(
            this, source, new($"{Prefix}.embeddings.word_embeddings.weight", "generator_predictions.dense", "generator_predictions.LayerNorm", "generator_lm_head.bias", "generator_predictions", "generator_lm_head"), Activation.Gelu);

    /// <inheritdoc/>
    public override EncoderHead CreateHead(ParameterSource source)
    {
        double dropout = ClassifierDropout ?? HiddenDropout;
        return new FirstTokenHead(this, source, ["classifier"], "classifier.dense", Activation.Gelu, dropout, dropout);
    }
}
