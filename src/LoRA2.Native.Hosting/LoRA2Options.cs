using LoRA2.Native.Embeddings;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Hosting;

/// <summary>What a <see cref="TextService"/> loads and what it holds itself to.</summary>
public sealed class LoRA2Options
{
    /// <summary>The folder of the model: HuggingFace's or sentence-transformers'.</summary>
    public string ModelFolder { get; set; } = "";

    /// <summary>What the model is called in answers, logs and metrics; null for its folder's name.</summary>
    public string? ModelName { get; set; }

    /// <summary>Folders of adapters by name.</summary>
    public IDictionary<string, string> Adapters { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Adapters that are in memory at a time; null for all. The others are read from their folders, which have to stay as they are, when they are asked for.</summary>
    public int? MaxResidentAdapters { get; set; }

    /// <summary>
    /// How tokens become one vector; null for what the folder says. A classifier makes vectors only when this is given; a sentence-transformers folder, or a model without a head,
    /// makes them anyway.
    /// </summary>
    public Pooling? Pooling { get; set; }

    /// <summary>Tokens after which a text is cut; null for what the model takes.</summary>
    public int? MaxLength { get; set; }

    /// <summary>
    /// The precision of the encoder's matrix products. That of a service from the start, <see cref="Precision.BFloat16x3"/>, is about float32's quality and half as fast again on a processor
    /// with AMX, and is float32 itself, bit for bit, on one without; <see cref="Precision.Float32"/> gives the bits of a classifier or embedder that was loaded by itself on either.
    /// </summary>
    public Precision Precision { get; set; } = Precision.BFloat16x3;

    /// <summary>Tokens of one batch, padding counted. More do not make a processor faster, and those who share a batch wait for each other.</summary>
    public int MaxBatchTokens { get; set; } = 1024;

    /// <summary>Texts of one batch.</summary>
    public int MaxBatchTexts { get; set; } = 64;

    /// <summary>Texts that may wait; a call that brings more throws <see cref="Queueing.QueueFullException"/>.</summary>
    public int MaxQueuedTexts { get; set; } = 4096;

    /// <summary>The longest time between a call and its answer, where the call does not say otherwise; <see cref="Timeout.InfiniteTimeSpan"/> for no end.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Threads that compute one batch; null leaves <see cref="Compute.Threads"/> as it is. It is of the whole process. One thread a batch and a batch for each processor answers most
    /// texts a second, and does not keep all processors busy for one short text; more threads answer a lone long text sooner.
    /// </summary>
    public int? Threads { get; set; }

    /// <summary>Batches that are computed at a time; null for as many as the processors have room for, see <see cref="Threads"/>.</summary>
    public int? Workers { get; set; }
}
