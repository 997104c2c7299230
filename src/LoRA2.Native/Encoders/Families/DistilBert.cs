using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders.Families;

/// <summary>DistilBERT (arXiv 1910.01108): half of BERT's layers, without segments, without a dropout between attention and sum, and with a head that has a rectifier.</summary>
public sealed record DistilBertConfig : EncoderConfig
{
    private static readonly LayerNames LayerNames = new()
    {
        Layer = "transformer.layer.#",
        Query = "attention.q_lin",
        Key = "attention.k_lin",
        Value = "attention.v_lin",
        AttentionOutput = "attention.out_lin",
        AttentionNorm = "sa_layer_norm",
        Intermediate = "ffn.lin1",
        Output = "ffn.lin2",
        OutputNorm = "output_layer_norm",
    };

    /// <summary>distilbert-base's sizes.</summary>
    public DistilBertConfig() => Layers = 6;

    /// <inheritdoc/>
    public override string ModelType => "distilbert";

    /// <inheritdoc/>
    public override string Title => "DistilBERT";

    /// <inheritdoc/>
    public override string ClassName => "DistilBert";

    /// <inheritdoc/>
    public override string Prefix => "distilbert";

    /// <inheritdoc/>
    public override LayerNames Names => LayerNames;

    /// <inheritdoc/>
    public override EncoderConfig Read(ConfigFields fields)
    {
        // The position table is read from the weights whether it was made of sines or not; of sines it would be a constant in training.
        fields.Require("sinusoidal_pos_embds", false);
        fields.Ignore("qa_dropout", "tie_weights_");
        return this with
        {
            VocabularySize = fields.Int("vocab_size", null, 1),
            HiddenSize = fields.Int("dim", null, 1),
            Layers = fields.Int("n_layers", null, 1, EncoderConfigReader.MostLayers),
            Heads = fields.Int("n_heads", null, 1),
            IntermediateSize = fields.Int("hidden_dim", null, 1),
            HiddenActivation = ActivationNames.Read(fields, "activation", HiddenActivation),
            HiddenDropout = fields.Number("dropout", HiddenDropout, 0, 0.999),
            AttentionDropout = fields.Number("attention_dropout", AttentionDropout, 0, 0.999),
            ClassifierDropout = fields.Number("seq_classif_dropout", 0.2, 0, 0.999),
            InitializerRange = fields.Number("initializer_range", InitializerRange, 0, 100),
            PadTokenId = fields.Int("pad_token_id", PadTokenId, 0),
            MaxPositions = fields.Int("max_position_embeddings", MaxPositions, 1),
        };
    }

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ParameterSource source) => new(
        new AbsoluteEmbeddings(this, source, $"{Prefix}.embeddings"),
        [.. LayerPaths.Select(path => new PostNormLayer(this, source, path, new SelfAttention(this, source, path)) { DropsAttentionOutput = false })]);

    /// <inheritdoc/>
    public override EncoderHead CreateMaskedHead(ParameterSource source) =>
        new MaskedHead(
            this, source, new($"{Prefix}.embeddings.word_embeddings.weight", "vocab_transform", "vocab_layer_norm", "vocab_projector.bias", "vocab_transform", "vocab_layer_norm", "vocab_projector"), HiddenActivation);

    /// <inheritdoc/>
    public override EncoderHead CreateHead(ParameterSource source) =>
        new FirstTokenHead(this, source, ["pre_classifier", "classifier"], "pre_classifier", Activation.Relu, firstDropout: 0, ClassifierDropout ?? 0.2);

    /// <inheritdoc/>
    public override EncoderHead CreateTokenHead(ParameterSource source) => new TokenHead(this, source, HiddenDropout);
}
