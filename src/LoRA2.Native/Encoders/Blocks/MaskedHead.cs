using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>
/// The head of masked language modelling that all families have under names of their own: dense → activation → layer norm → the words' embeddings, transposed, + bias. The embeddings are the
/// encoder's, one parameter in both places.
/// </summary>
public sealed class MaskedHead : EncoderHead
{
    private readonly LinearLayer dense;
    private readonly Activation activation;
    private readonly NormLayer norm;

    /// <summary>Makes the layers.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="source">Where the weights are, if anywhere.</param>
    /// <param name="names">What the family calls them.</param>
    /// <param name="activation">After the dense layer.</param>
    public MaskedHead(EncoderConfig config, ParameterSource source, in MaskedHeadNames names, Activation activation)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(source);
        this.activation = activation;
        Parameter words = source.Shared(names.Words);
        int width = words.Value.Shape[1];
        dense = source.Linear(names.Dense, config.HiddenSize, width, names.DenseHasBias);
        norm = source.Norm(names.Norm, width, names.NormEpsilon ?? config.LayerNormEpsilon, names.NormHasBias);
        Parameter? bias = names.Bias is null ? null : source.Parameter(names.Bias, [config.VocabularySize], 0, 0);
        Classifier = new LinearLayer(names.Words[..names.Words.LastIndexOf('.')], words, bias);
        Modules = [.. names.Modules.Select((module, i) => new HeadModule(module, [.. dense.Parameters.Concat(norm.Parameters).Concat(bias is null ? [] : [bias]).Where(parameter => parameter.Name.StartsWith(module + ".", StringComparison.Ordinal))]))];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<HeadModule> Modules { get; }

    /// <summary>The words' embeddings as a linear layer: one output a word of the vocabulary.</summary>
    public override LinearLayer Classifier { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<LinearLayer> Linears => [dense];

    /// <summary>[.., width] → [.., vocabulary].</summary>
    public override Tensor Forward(Tensor hidden, Tensor mask, ForwardContext context)
    {
        using var scope = new TensorScope();
        return scope.Keep(Classifier.Forward(norm.Forward(dense.Forward(hidden, context, activation)), context));
    }
}

/// <summary>What a family calls the parts of its head of masked language modelling.</summary>
/// <param name="Words">The embeddings' table, which the encoder has made.</param>
/// <param name="Dense">The dense layer.</param>
/// <param name="Norm">The layer norm.</param>
/// <param name="Bias">The bias of every word, or null for none.</param>
/// <param name="Modules">The modules that PEFT would save whole.</param>
public readonly record struct MaskedHeadNames(string Words, string Dense, string Norm, string? Bias, params string[] Modules)
{
    /// <summary>Whether the dense layer has a bias.</summary>
    public bool DenseHasBias { get; init; } = true;

    /// <summary>Whether the norm has a bias.</summary>
    public bool NormHasBias { get; init; } = true;

    /// <summary>Added to the variance; null for the config's.</summary>
    public double? NormEpsilon { get; init; }
}
