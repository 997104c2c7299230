using LoRA2.Native.Tensors;

namespace LoRA2.Native.Onnx;

/// <summary>What an ONNX file doesn't say, or says otherwise than it is wanted.</summary>
public sealed record OnnxImportOptions
{
    /// <summary>
    /// The tokenizer: a <c>vocab.txt</c> of word pieces, a <c>tokenizer.json</c>, or a folder with a tokenizer's files. Null: what lies beside the model, or in the folder above where
    /// the model's is called <c>onnx</c>.
    /// </summary>
    public string? Vocabulary { get; init; }

    /// <summary>A HuggingFace <c>config.json</c>; null: the one beside the model as above, else one made of what the graph shows.</summary>
    public string? Config { get; init; }

    /// <summary>Attention heads, where the graph doesn't show them and there is no config.</summary>
    public int? Heads { get; init; }

    /// <summary>Float32, Float16 or BFloat16 for the weights that are written; null: as they are in the file.</summary>
    public DType? DType { get; init; }
}

/// <summary>What an import made.</summary>
/// <param name="Config">The encoder's family and sizes.</param>
/// <param name="ConfigSource">The config's file, or null when it was made of the graph.</param>
/// <param name="Tokenizer">What the tokenizer was made of.</param>
/// <param name="Tensors">How many weights were written.</param>
/// <param name="Parameters">How many numbers they have.</param>
/// <param name="LeftOut">Matrices of the graph that belong to no module by any sign, in words.</param>
public sealed record OnnxImportResult(Encoders.EncoderConfig Config, string? ConfigSource, string Tokenizer, int Tensors, long Parameters, IReadOnlyList<string> LeftOut);
