using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders.Families;

/// <summary>
/// ModernBERT (arXiv 2412.13663): layers normalised before each half, rotary positions, gated feed-forwards, and attention that is global in every third layer and local in the others.
/// </summary>
public sealed record ModernBertConfig : EncoderConfig
{
    private static readonly LayerNames LayerNames = new()
    {
        Layer = "layers.#",
        Query = "attn.Wqkv",
        Key = "attn.Wqkv",
        Value = "attn.Wqkv",
        AttentionOutput = "attn.Wo",
        AttentionNorm = "attn_norm",
        Intermediate = "mlp.Wi",
        Output = "mlp.Wo",
        OutputNorm = "mlp_norm",
    };

    /// <summary>ModernBERT-base's sizes.</summary>
    public ModernBertConfig()
    {
        VocabularySize = 50368;
        Layers = 22;
        IntermediateSize = 1152;
        MaxPositions = 8192;
        PadTokenId = 50283;
        LayerNormEpsilon = 1e-5;
        HiddenDropout = 0;
        AttentionDropout = 0;
    }

    /// <inheritdoc/>
    public override string ModelType => "modernbert";

    /// <inheritdoc/>
    public override string Title => "ModernBERT";

    /// <inheritdoc/>
    public override string ClassName => "ModernBert";

    /// <inheritdoc/>
    public override string Prefix => "model";

    /// <inheritdoc/>
    public override LayerNames Names => LayerNames;

    /// <summary>Layers from one with global attention to the next; the first is one.</summary>
    public int GlobalEvery { get; init; } = 3;

    /// <summary>Tokens that a local layer's token sees: half of them on each side, and itself.</summary>
    public int LocalAttention { get; init; } = 128;

    /// <summary>θ of the rotary positions in global layers.</summary>
    public double GlobalTheta { get; init; } = 160000;

    /// <summary>θ in local layers.</summary>
    public double LocalTheta { get; init; } = 10000;

    /// <summary>Whether the layer norms have biases.</summary>
    public bool NormsHaveBias { get; init; }

    /// <summary>Whether the attention's linear layers have biases.</summary>
    public bool AttentionHasBias { get; init; }

    /// <summary>Whether the feed-forward's linear layers have biases.</summary>
    public bool FeedForwardHasBias { get; init; }

    /// <summary>Dropout of the embeddings.</summary>
    public double EmbeddingDropout { get; init; }

    /// <summary>Whether the head takes the mean of the tokens, not the first.</summary>
    public bool PoolsMean { get; init; }

    /// <summary>Whether the head's dense layer has a bias.</summary>
    public bool HeadHasBias { get; init; }

    /// <summary>Whether the words' logits have a bias in masked language modelling.</summary>
    public bool DecoderHasBias { get; init; } = true;

    /// <summary>Activation of the head.</summary>
    public Activation HeadActivation { get; init; } = Activation.Gelu;

    /// <inheritdoc/>
    public override EncoderConfig Read(ConfigFields fields)
    {
        fields.Ignore(
            "deterministic_flash_attn", "initializer_cutoff_factor", "layer_norm_eps", "position_embedding_type", "reference_compile", "repad_logits_with_grad",
            "sparse_pred_ignore_index", "sparse_prediction");
        ModernBertConfig config = this with
        {
            VocabularySize = fields.Int("vocab_size", null, 1),
            HiddenSize = fields.Int("hidden_size", null, 1),
            Layers = fields.Int("num_hidden_layers", null, 1, EncoderConfigReader.MostLayers),
            Heads = fields.Int("num_attention_heads", null, 1),
            IntermediateSize = fields.Int("intermediate_size", null, 1),
            HiddenActivation = ActivationNames.Read(fields, "hidden_activation", HiddenActivation),
            LayerNormEpsilon = fields.Number("norm_eps", LayerNormEpsilon, 0, 1),
            HiddenDropout = fields.Number("mlp_dropout", 0, 0, 0.999),
            AttentionDropout = fields.Number("attention_dropout", 0, 0, 0.999),
            EmbeddingDropout = fields.Number("embedding_dropout", 0, 0, 0.999),
            ClassifierDropout = fields.Number("classifier_dropout", 0, 0, 0.999),
            InitializerRange = fields.Number("initializer_range", InitializerRange, 0, 100),
            PadTokenId = fields.Int("pad_token_id", PadTokenId, 0),
            MaxPositions = fields.Int("max_position_embeddings", MaxPositions, 1),
            GlobalEvery = fields.Int("global_attn_every_n_layers", GlobalEvery, 1),
            LocalAttention = fields.Int("local_attention", LocalAttention, 0),
            GlobalTheta = fields.Number("global_rope_theta", GlobalTheta, 1, double.MaxValue),
            NormsHaveBias = fields.Bool("norm_bias", false),
            AttentionHasBias = fields.Bool("attention_bias", false),
            FeedForwardHasBias = fields.Bool("mlp_bias", false),
            PoolsMean = fields.OneOf("classifier_pooling", "cls", ["cls", "mean"]) == "mean",
            DecoderHasBias = fields.Bool("decoder_bias", true),
            HeadHasBias = fields.Bool("classifier_bias", false),
            HeadActivation = ActivationNames.Read(fields, "classifier_activation", HeadActivation),
        };
        if (config.HiddenSize % (2 * config.Heads) != 0) throw fields.Error($"hidden_size {config.HiddenSize} is not an even multiple of num_attention_heads {config.Heads}; rotary positions turn pairs");
        fields.RequireMatrix("three times hidden_size", 3L * config.HiddenSize, config.HiddenSize);
        fields.RequireMatrix("twice intermediate_size", 2L * config.IntermediateSize, config.HiddenSize);
        return config with { LocalTheta = fields.Number("local_rope_theta", LocalTheta, 1, double.MaxValue) };
    }

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ParameterSource source)
    {
        var embeddings = new WordEmbeddings(this, source, $"{Prefix}.embeddings.tok_embeddings", $"{Prefix}.embeddings.norm", NormsHaveBias) { Dropout = EmbeddingDropout };
        var global = new RotaryPositions(GlobalTheta, HiddenSize / Heads);
        var local = new RotaryPositions(LocalTheta, HiddenSize / Heads);
        var window = new ByLength(Window);
        GatedLayer[] layers = [.. LayerPaths.Select((path, i) => i % GlobalEvery == 0
            ? new GatedLayer(this, source, path, i == 0, global, null)
            : new GatedLayer(this, source, path, isFirst: false, local, window))];
        return new Encoder(embeddings, layers, finalNorm: source.Norm($"{Prefix}.final_norm", HiddenSize, LayerNormEpsilon, NormsHaveBias));
    }

    /// <inheritdoc/>
    public override EncoderHead CreateMaskedHead(ParameterSource source) =>
        new MaskedHead(
            this, source, new($"{Prefix}.embeddings.tok_embeddings.weight", "head.dense", "head.norm", DecoderHasBias ? "decoder.bias" : null, DecoderHasBias ? ["head", "decoder"] : ["head"]) { DenseHasBias = HeadHasBias, NormHasBias = NormsHaveBias }, HeadActivation);

    /// <inheritdoc/>
    public override EncoderHead CreateHead(ParameterSource source) =>
        new PooledHead(this, source, "head", PoolsMean, (HeadHasBias, NormsHaveBias), HeadActivation, ClassifierDropout ?? 0);

    /// <inheritdoc/>
    public override EncoderHead CreateTokenHead(ParameterSource source) =>
        new PooledHead(this, source, "head", null, (HeadHasBias, NormsHaveBias), HeadActivation, ClassifierDropout ?? 0);

    /// <summary>[length, length]: 0 for tokens that see each other in a local layer; for the others a number beside which any score counts for nothing.</summary>
    private Tensor Window(int length)
    {
        Tensor window = Tensor.Zeros([length, length]);
        Span<float> values = window.AsSpan<float>();
        for (int query = 0; query < length; query++)
        {
            for (int key = 0; key < length; key++)
            {
                if (Math.Abs(query - key) > LocalAttention / 2) values[(query * length) + key] = -1e30f;
            }
        }

        return window;
    }
}
