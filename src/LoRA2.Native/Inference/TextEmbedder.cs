using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Inference;

/// <summary>A text's vector.</summary>
/// <param name="Values">One number a dimension.</param>
/// <param name="Tokens">Tokens that the model has seen of the text, special ones included.</param>
/// <param name="IsCut">Whether the text was longer than <see cref="TextEmbedder.MaxLength"/>, so that the model has not seen its end.</param>
public sealed record TextVector(float[] Values, int Tokens, bool IsCut)
{
    /// <summary>A vector's first dimensions, at the length 1 if asked; where they are 0 they stay so.</summary>
    internal static float[] First(float[] values, int dimensions, bool normalises)
    {
        float[] kept = dimensions == values.Length ? values : values[..dimensions];
        if (!normalises) return kept;
        double length = Math.Sqrt(kept.Sum(static value => (double)value * value));
        return length == 0 ? kept : Array.ConvertAll(kept, value => (float)(value / length));
    }
}

/// <summary>
/// An encoder that makes a vector of a text, as sentence-transformers does, from its folders and from any HuggingFace encoder's. Any number of threads may ask at once; a call that comes
/// while another disposes is answered or throws <see cref="ObjectDisposedException"/>.
/// </summary>
/// <example><code>
/// using var embedder = TextEmbedder.Load("all-MiniLM-L6-v2");
/// float[] vector = embedder.Embed("My parcel never arrived.").Values;
/// </code></example>
public sealed class TextEmbedder : IDisposable
{
    private TextEmbedder(SequenceClassifier model, Tokenizer tokenizer, EmbeddingSettings settings, AdapterSettings? adapter, int maxLength, int dimensions)
    {
        Model = model;
        Tokenizer = tokenizer;
        Settings = settings;
        Adapter = adapter;
        MaxLength = maxLength;
        Dimensions = dimensions;
    }

    /// <summary>The encoder, whose head is the pooling.</summary>
    public SequenceClassifier Model { get; }

    /// <summary>Its tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>How a text becomes a vector.</summary>
    public EmbeddingSettings Settings { get; }

    /// <summary>The shape of the adapter on it, or null without one.</summary>
    public AdapterSettings? Adapter { get; }

    /// <summary>Tokens after which a text is cut, special ones included.</summary>
    public int MaxLength { get; }

    /// <summary>Numbers in a vector.</summary>
    public int Dimensions { get; }

    /// <summary>Loads a sentence-transformers or HuggingFace folder, and an adapter onto it when one is given.</summary>
    /// <param name="modelFolder">The model's folder.</param>
    /// <param name="adapterFolder">The adapter's, or null. When it is a sentence-transformers folder too, pooling, normalisation, length and prompts are its own.</param>
    /// <param name="options">What is to be otherwise than the folder says.</param>
    /// <exception cref="InputException">A file is missing or damaged or asks for something not supported, the adapter does not fit the model, or an option is out of its range.</exception>
    public static TextEmbedder Load(string modelFolder, string? adapterFolder = null, EmbedderOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelFolder);
        if (adapterFolder is not null) ArgumentException.ThrowIfNullOrEmpty(adapterFolder);
        options ??= new EmbedderOptions();
        SentenceFolder files = SentenceFolder.Read(modelFolder);
        SentenceFolder described = adapterFolder is not null && SentenceFolder.Exists(adapterFolder) ? SentenceFolder.Read(adapterFolder) : files;
        EmbeddingSettings settings = described.Settings with
        {
            Pooling = options.Pooling ?? described.Settings.Pooling,
            Normalises = options.Normalises ?? described.Settings.Normalises,
            Prompts = options.Prompts ?? described.Settings.Prompts,
            DefaultPrompt = options.Prompts is null ? described.Settings.DefaultPrompt : null,
        };
        SequenceClassifier model = SequenceClassifier.FromFolder(
            files.Transformer,
            config => described.Width is { } width && width.Width != config.HiddenSize
                ? throw new InputException($"{width.File}: the pooling is of {width.Width} dimensions; the model's hidden states have {config.HiddenSize}")
                : config with { Labels = 1, LabelNames = null, Task = new EmbeddingsTask { Settings = settings, Dimensions = CutOf(config, options.Dimensions) } },
            precision: options.Precision);
        try
        {
            AdapterSettings? adapter = null;
            if (adapterFolder is null) model.FreezeBase();
            else adapter = AdapterFolder.Load(model, described == files ? adapterFolder : described.Transformer);
            Tokenizer tokenizer = Tokenizer.FromFolder(files.Transformer);
            model.Check(tokenizer);
            int length = InputLength.Of(model.Config, tokenizer, options.MaxLength ?? (settings.MaxLength is { } said ? Math.Min(said, model.Config.LongestInput) : null), options.MaxLength is null ? $"max_seq_length of {SentenceFolder.TransformerFile}" : "the longest input");
            return new TextEmbedder(model, tokenizer, settings with { MaxLength = length }, adapter, length, options.Dimensions ?? model.Config.HiddenSize);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The vector of one text, with the default prompt before it where there is one.</summary>
    public TextVector Embed(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Embed([text])[0];
    }

    /// <summary>The vectors of many texts in their order, computed in batches of similar length.</summary>
    /// <param name="texts">The texts. White space around one is taken off, as sentence-transformers does.</param>
    /// <param name="prompt">What is put before each; null for the default prompt, where there is one.</param>
    /// <param name="batchSize">Texts computed together.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    /// <exception cref="ObjectDisposedException">The embedder was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<TextVector> Embed(IReadOnlyList<string> texts, string? prompt = null, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (texts.Count == 0) return [];
        prompt ??= Settings.DefaultPrompt is { } name ? Settings.Prompts[name] : "";
        TokenizedDataset data = TokenizedDataset.OfTexts("input", [.. texts.Select(text => new Example(Settings.TextOf(text, prompt)))], Tokenizer, Model.Config, MaxLength);
        float[][] vectors = Evaluator.Logits(Model, data, batchSize, cancellation);
        return [.. vectors.Select((vector, i) => new TextVector(vector, data.Length(i), data.IsCut(i)))];
    }

    /// <summary>As <see cref="Embed(IReadOnlyList{string}, string?, int, CancellationToken)"/>, for texts that ask: with the prompt <c>query</c>, where there is one.</summary>
    public IReadOnlyList<TextVector> EmbedQueries(IReadOnlyList<string> texts, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return Embed(texts, Settings.PromptOf("query"), batchSize, cancellation);
    }

    /// <summary>The same for texts that are looked for: with the prompt <c>document</c>, <c>passage</c> or <c>corpus</c>, where there is one.</summary>
    public IReadOnlyList<TextVector> EmbedDocuments(IReadOnlyList<string> texts, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return Embed(texts, Settings.PromptOf("document", "passage", "corpus"), batchSize, cancellation);
    }

    /// <summary>Scores the vectors on sets of texts: by correlation where they have scores, else by how well each first text finds its second, see <see cref="EmbeddingsTask"/>.</summary>
    /// <exception cref="ObjectDisposedException">The embedder was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Evaluation Evaluate(Dataset data, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        TokenizedDataset tokens = TokenizedDataset.Create(data.Name, data.Examples, Tokenizer, Model.Config, MaxLength);
        return Evaluator.Evaluate(Model, tokens, Model.Config.Kind.MetricsOf(data), batchSize, cancellation);
    }

    /// <summary>Frees the model, when the calls that are under way have ended.</summary>
    public void Dispose() => Model.Dispose();

    private static int? CutOf(EncoderConfig config, int? asked) => asked is not { } count || (count >= 1 && count <= config.HiddenSize)
        ? asked
        : throw new InputException($"vectors of {count} dimensions were asked for; 1 to {config.HiddenSize} can be");
}
