using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Training;

namespace LoRA2.Native.Hosting.Models;

/// <summary>A tenant with a model of its own for each kind of work.</summary>
internal sealed class ModelTenant : Tenant, IDisposable
{
    private readonly TextModel? head;
    private readonly TextEmbedder? embedder;

    private ModelTenant(string name, string? adapter, TextModel? head, TextEmbedder? embedder, EmbeddingSettings? settings)
        : base(name, adapter, head?.Tokenizer ?? embedder!.Tokenizer) => (this.head, this.embedder, Embeds) = (head, embedder, settings);

    public override TaskDescription? Task => head?.Task;

    public override EmbeddingSettings? Embeds { get; }

    /// <summary>Loads a model, or an adapter onto one.</summary>
    /// <exception cref="InputException">A file is missing or damaged, or the adapter does not fit.</exception>
    public static ModelTenant Load(LoRA2Options options, string modelName, string? adapter, string? folder)
    {
        string described = folder ?? options.ModelFolder, name = adapter is null ? $"model '{modelName}'" : $"adapter '{adapter}' of model '{modelName}'";
        bool isSentence = SentenceFolder.Exists(described) || (folder is not null && TaskDescription.Read(folder)?.Kind.Name == "embeddings");
        string transformer = SentenceFolder.Exists(options.ModelFolder) ? SentenceFolder.Read(options.ModelFolder).Transformer : options.ModelFolder;
        TextModel? head = null;
        try
        {
            if (!isSentence && folder is not null) head = TextModel.Load(transformer, folder, options.Precision, options.MaxLength);
            else if (!isSentence) head = HeadOf(options);
            if (!isSentence && head is not null && (options.Pooling is null || folder is not null)) return new ModelTenant(name, adapter, head, null, null);
            EmbeddingSettings settings = SentenceFolder.Read(SentenceFolder.Exists(described) ? described : options.ModelFolder).Settings;
            TextEmbedder embedder = TextEmbedder.Load(options.ModelFolder, folder, new EmbedderOptions { Pooling = options.Pooling, Normalises = false, MaxLength = options.MaxLength, Precision = options.Precision });
            return new ModelTenant(name, adapter, head, embedder, settings with { Pooling = embedder.Settings.Pooling, MaxLength = embedder.MaxLength });
        }
        catch
        {
            head?.Dispose();
            throw;
        }
    }

    public override int MaxLengthFor(TextWork work) => work == TextWork.Predict ? head!.MaxLength : embedder!.MaxLength;

    /// <summary>Computes texts of this tenant and of one kind of work.</summary>
    public void Answer(TextWork work, IReadOnlyList<QueuedText> texts, CancellationToken cancellation)
    {
        var rows = new TokenizedExamples("input", ConfigFor(work));
        foreach (QueuedText text in texts)
        {
            rows.Ids.AddRange(text.Ids);
            rows.TypeIds.AddRange(text.TypeIds);
            rows.Close(text.IsCut, targets: null);
        }

        float[][] answers = Evaluator.Logits(work == TextWork.Predict ? head!.Model : embedder!.Model, new TokenizedDataset(rows), texts.Count, cancellation);
        for (int i = 0; i < answers.Length; i++) texts[i].Answer = answers[i];
    }

    public void Dispose()
    {
        head?.Dispose();
        embedder?.Dispose();
    }

    protected override EncoderConfig ConfigFor(TextWork work) => work == TextWork.Predict ? head!.Model.Config : embedder!.Model.Config;

    /// <summary>The model with its head, or null where it has none.</summary>
    private static TextModel? HeadOf(LoRA2Options options)
    {
        try
        {
            return TextModel.Load(options.ModelFolder, null, options.Precision, options.MaxLength);
        }
        catch (InputException)
        {
            // What is damaged is found again by whoever loads the encoder without a head.
            return null;
        }
    }
}
