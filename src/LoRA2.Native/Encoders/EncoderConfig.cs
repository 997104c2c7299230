using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders;

/// <summary>
/// An encoder family with the sizes of one model of it: an immutable value, read from a HuggingFace <c>config.json</c> by <see cref="EncoderConfigReader"/> or made by
/// hand. A family is one file that derives from this and one line in <see cref="EncoderFamilies"/>; models, adapters, files, the command line and the reports know
/// families by this class alone. The values that a new one starts with are those of the family's base model.
/// </summary>
public abstract record EncoderConfig
{
    /// <summary>What <c>config.json</c> calls the family, its <c>model_type</c>.</summary>
    public abstract string ModelType { get; }

    /// <summary>What papers call it.</summary>
    public abstract string Title { get; }

    /// <summary>What the names of HuggingFace's classes begin with: "Bert" of BertForSequenceClassification.</summary>
    public abstract string ClassName { get; }

    /// <summary>The module that HuggingFace puts the encoder under. Weights are found with and without it.</summary>
    public abstract string Prefix { get; }

    /// <summary>What HuggingFace calls the modules of a layer, and so what the papers' names of the matrices stand for.</summary>
    public abstract LayerNames Names { get; }

    /// <summary>The head's last layer, whose outputs are the labels'.</summary>
    public virtual string ClassifierName => "classifier";

    /// <summary>Rows of the word embedding.</summary>
    public int VocabularySize { get; init; } = 30522;

    /// <summary>Width of the hidden states.</summary>
    public int HiddenSize { get; init; } = 768;

    /// <summary>Number of layers.</summary>
    public int Layers { get; init; } = 12;

    /// <summary>Number of attention heads.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Width inside the feed-forward.</summary>
    public int IntermediateSize { get; init; } = 3072;

    /// <summary>Activation of the feed-forward.</summary>
    public Activation HiddenActivation { get; init; } = Activation.Gelu;

    /// <summary>Added to the variance in layer normalisation.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-12;

    /// <summary>Dropout of hidden states.</summary>
    public double HiddenDropout { get; init; } = 0.1;

    /// <summary>Dropout of attention probabilities.</summary>
    public double AttentionDropout { get; init; } = 0.1;

    /// <summary>Dropout before the last layer of the head; null: the family's own, as a rule <see cref="HiddenDropout"/>.</summary>
    public double? ClassifierDropout { get; init; }

    /// <summary>Standard deviation of freshly initialised weights.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>The padding token.</summary>
    public int PadTokenId { get; init; }

    /// <summary>Rows of the position embedding; in a family of relative positions what those fall back to.</summary>
    public int MaxPositions { get; init; } = 512;

    /// <summary>Rows of the segment embedding; 0 for none.</summary>
    public int TypeVocabularySize { get; init; }

    /// <summary>Outputs of the head: 1 for a number.</summary>
    public int Labels { get; init; } = 2;

    /// <summary>The labels' names in order, or null.</summary>
    public IReadOnlyList<string>? LabelNames { get; init; }

    /// <summary>What the model is for; null: regression when <see cref="Labels"/> is 1, else classification.</summary>
    public TaskKind? Task { get; init; }

    /// <summary>The adapters that were merged into the weights here, by <see cref="Adapters.AdapterFolder.FingerprintOf"/>.</summary>
    public IReadOnlyList<string> Merged { get; init; } = [];

    /// <summary>Fields that were in the file and are not known here, for a warning.</summary>
    public IReadOnlyList<string> UnknownFields { get; init; } = [];

    /// <summary>What the model is for: its head, loss and answers.</summary>
    public TaskKind Kind => Task ?? (Labels == 1 ? TaskKinds.Regression : TaskKinds.Classification);

    /// <summary>Tokens of the longest input: absolute positions run out, relative ones do not (<see cref="int.MaxValue"/>).</summary>
    public virtual int LongestInput => MaxPositions;

    /// <summary>
    /// Whether HuggingFace's class returns a regression's logits as [batch] instead of [batch, 1] when it was given labels; only comparisons with its traces ask.
    /// </summary>
    public virtual bool DropsAxisOfRegression => false;

    /// <summary>
    /// This family's config with what the fields say. Labels and the problem's type are read elsewhere, and so are fields that no encoder here has
    /// (<c>is_decoder</c>, <c>pruned_heads</c>); fields that are not read are reported as unknown.
    /// </summary>
    /// <exception cref="InputException">A field is missing, out of its range, or asks for a computation that the family doesn't have.</exception>
    public abstract EncoderConfig Read(ConfigFields fields);

    /// <summary>The embeddings and layers, with weights from <paramref name="source"/>: asked for in a fixed order, in which the optimiser goes through them too.</summary>
    public abstract Encoder CreateEncoder(ParameterSource source);

    /// <summary>The head for whole sequences. What the source lacks of it is initialised.</summary>
    public abstract EncoderHead CreateHead(ParameterSource source);

    /// <summary>What files call a module or tensor of the encoder: its whole name, or for a kind of task without a head that without <see cref="Prefix"/>.</summary>
    internal string FileNameOf(string name) => Kind.IsBareEncoder && name.StartsWith(Prefix + ".", StringComparison.Ordinal) ? name[(Prefix.Length + 1)..] : name;

    /// <summary>The head for every token by itself. What the source lacks of it is initialised.</summary>
    public virtual EncoderHead CreateTokenHead(ParameterSource source) => new TokenHead(this, source, ClassifierDropout ?? HiddenDropout);

    /// <summary>The head of masked language modelling, after <see cref="CreateEncoder"/> from the same source; null for a family without. What the source lacks of it is initialised.</summary>
    public virtual EncoderHead? CreateMaskedHead(ParameterSource source) => null;

    /// <summary>
    /// Where a module is in the encoder: its layer, from 0, and the papers' name of the matrix, or the module's name in the layer where they have none. Layer −1 and its
    /// whole name: it is in no layer.
    /// </summary>
    public (int Layer, string Matrix) PlaceOf(string module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Split(module) is { } place ? (place.Layer, Names.PaperNameOf(place.Module) ?? place.Module) : (-1, module);
    }

    /// <summary>A module's name in its layer, without the layer's; its whole name where it is in none.</summary>
    public string EndingOf(string module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Split(module)?.Module ?? module;
    }

    private (int Layer, string Module)? Split(string module) => module.StartsWith(Prefix + ".", StringComparison.Ordinal) ? Names.Split(module[(Prefix.Length + 1)..]) : null;

    /// <summary>The whole names of the layers, in order.</summary>
    protected IEnumerable<string> LayerPaths => Enumerable.Range(0, Layers).Select(layer => $"{Prefix}.{Names.PathOf(layer)}");

    /// <summary>Reads the sizes, dropouts and token ids under the names that BERT's config gave them. What a missing field means is what this config has.</summary>
    /// <typeparam name="TConfig">The family.</typeparam>
    protected static TConfig ReadUsual<TConfig>(TConfig config, ConfigFields fields)
        where TConfig : EncoderConfig => config with
        {
            VocabularySize = fields.Int("vocab_size", null, 1),
            HiddenSize = fields.Int("hidden_size", null, 1),
            Layers = fields.Int("num_hidden_layers", null, 1, EncoderConfigReader.MostLayers),
            Heads = fields.Int("num_attention_heads", null, 1),
            IntermediateSize = fields.Int("intermediate_size", null, 1),
            HiddenActivation = ActivationNames.Read(fields, "hidden_act", config.HiddenActivation),
            LayerNormEpsilon = fields.Number("layer_norm_eps", config.LayerNormEpsilon, 0, 1),
            HiddenDropout = fields.Number("hidden_dropout_prob", config.HiddenDropout, 0, 0.999),
            AttentionDropout = fields.Number("attention_probs_dropout_prob", config.AttentionDropout, 0, 0.999),
            InitializerRange = fields.Number("initializer_range", config.InitializerRange, 0, 100),
            PadTokenId = fields.Int("pad_token_id", config.PadTokenId, 0),
            MaxPositions = fields.Int("max_position_embeddings", config.MaxPositions, 1),
        };
}
