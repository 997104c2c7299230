using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders.Families;

/// <summary>
/// ALBERT (arXiv 1909.11942): layers of a group share their weights, and the embeddings are narrower than the hidden states. An adapter on a shared layer is shared too, as in
/// PEFT.
/// </summary>
public sealed record AlbertConfig : EncoderConfig
{
    /// <summary>albert-base-v2's sizes.</summary>
    public AlbertConfig()
    {
        VocabularySize = 30000;
        TypeVocabularySize = 2;
        HiddenActivation = Activation.GeluTanh;
        HiddenDropout = 0;
        AttentionDropout = 0;
    }

    /// <inheritdoc/>
    public override string ModelType => "albert";

    /// <inheritdoc/>
    public override string Title => "ALBERT";

    /// <inheritdoc/>
    public override string ClassName => "Albert";

    /// <inheritdoc/>
    public override string Prefix => "albert";

    /// <inheritdoc/>
    public override LayerNames Names => new()
    {
        Layer = "encoder.albert_layer_groups.#.albert_layers.#",
        LayersInGroup = LayersInGroup,
        Query = "attention.query",
        Key = "attention.key",
        Value = "attention.value",
        AttentionOutput = "attention.dense",
        AttentionNorm = "attention.LayerNorm",
        Intermediate = "ffn",
        Output = "ffn_output",
        OutputNorm = "full_layer_layer_norm",
    };

    /// <summary>Width of the embeddings.</summary>
    public int EmbeddingSize { get; init; } = 128;

    /// <summary>Groups that share weights; a group is computed <see cref="EncoderConfig.Layers"/> / groups times.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Layers with weights of their own in a group (inner_group_num).</summary>
    public int LayersInGroup { get; init; } = 1;

    /// <inheritdoc/>
    public override EncoderConfig Read(ConfigFields fields)
    {
        fields.OneOf("position_embedding_type", "absolute", ["absolute"]);
        fields.Ignore("down_scale_factor", "gap_size", "net_structure_type", "num_memory_blocks");
        AlbertConfig config = ReadUsual(this, fields) with
        {
            EmbeddingSize = fields.Int("embedding_size", 128, 1),
            Groups = fields.Int("num_hidden_groups", 1, 1, EncoderConfigReader.MostLayers),
            LayersInGroup = fields.Int("inner_group_num", 1, 1, EncoderConfigReader.MostLayers),
            TypeVocabularySize = fields.Int("type_vocab_size", TypeVocabularySize, 0),
            ClassifierDropout = fields.Number("classifier_dropout_prob", 0.1, 0, 0.999),
        };
        if (config.Groups > config.Layers) throw fields.Error($"num_hidden_groups {config.Groups} is more than num_hidden_layers {config.Layers}");
        return config;
    }

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ParameterSource source)
    {
        var narrow = new AbsoluteEmbeddings(this, source, $"{Prefix}.embeddings", width: EmbeddingSize);
        var embeddings = new ProjectedEmbeddings(narrow, source.Linear($"{Prefix}.encoder.embedding_hidden_mapping_in", EmbeddingSize, HiddenSize));
        IEncoderLayer[] groups = [.. Enumerable.Range(0, Groups).Select(group => Group(source, group))];
        return new Encoder(embeddings, [.. Enumerable.Range(0, Layers).Select(layer => groups[(int)(layer / ((double)Layers / Groups))])]);
    }

    /// <inheritdoc/>
    public override EncoderHead CreateMaskedHead(ParameterSource source) =>
        new MaskedHead(this, source, new($"{Prefix}.embeddings.word_embeddings.weight", "predictions.dense", "predictions.LayerNorm", "predictions.bias", "predictions"), HiddenActivation);

    /// <inheritdoc/>
    public override EncoderHead CreateHead(ParameterSource source) =>
        new FirstTokenHead(this, source, ["albert.pooler", "classifier"], "albert.pooler", Activation.Tanh, firstDropout: 0, ClassifierDropout ?? 0.1);

    private IEncoderLayer Group(ParameterSource source, int group)
    {
        IEncoderLayer[] layers = [.. Enumerable.Range(group * LayersInGroup, LayersInGroup).Select(IEncoderLayer (number) =>
        {
            string path = $"{Prefix}.{Names.PathOf(number)}";
            return new PostNormLayer(this, source, path, new SelfAttention(this, source, path)) { DropsOutput = false };
        })];
        return layers.Length == 1 ? layers[0] : new LayerGroup(layers);
    }
}
