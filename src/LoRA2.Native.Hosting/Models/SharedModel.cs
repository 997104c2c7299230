using LoRA2.Native.Embeddings;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Hosting.Models;

/// <summary>A model and its adapters over the same weights, as the queue's workers compute with them: an <see cref="AdapterHost"/>, and the model's vectors beside its adapters' answers. Any number of threads may call.</summary>
internal sealed class SharedModel : IDisposable
{
    private readonly string name;
    private readonly AdapterHost host;
    private readonly bool isSentence;
    private readonly AdapterLease? vectors;

    /// <summary>Loads a model.</summary>
    /// <exception cref="InputException">A file is missing or damaged.</exception>
    public SharedModel(LoRA2Options options, string name)
    {
        this.name = name;
        isSentence = SentenceFolder.Exists(options.ModelFolder);
        // Whether vectors have the length 1 is each call's to say, so it is done after the pass.
        host = AdapterHost.Load(options.ModelFolder, options.Precision, new AdapterHostOptions { MaxLength = options.MaxLength, MaxResident = options.MaxResidentAdapters, Pooling = options.Pooling, EmbedsWithoutHead = true, RawVectors = true });
        vectors = host.TakeEmbedder();
    }

    /// <summary>The tokenizer, which all adapters have.</summary>
    public Tokenizer Tokenizer => host.Tokenizer;

    /// <summary>What is to be known of the model's files.</summary>
    public IReadOnlyList<string> Doubts => host.Warnings;

    /// <summary>The adapters, in the names' order.</summary>
    public IReadOnlyList<HostedAdapter> Adapters => host.Adapters;

    /// <summary>What the model predicts without an adapter, or null. One of a sentence-transformers folder makes vectors only, whatever its files have beside.</summary>
    public TaskDescription? OwnTask => !isSentence && host.OwnTask is { Kind: not EmbeddingsTask } task ? task : null;

    /// <summary>Whether the model makes vectors without an adapter.</summary>
    public bool OwnVectors => vectors is not null;

    /// <summary>Whether the model's files are those that it was loaded from.</summary>
    public bool HasItsFiles => host.HasItsFiles;

    /// <summary>Whether an adapter answers without being read first.</summary>
    public bool IsResident(string? adapter) => adapter is null || host.Find(adapter) is not { IsResident: false };

    /// <summary>What is known of an adapter.</summary>
    /// <exception cref="UnknownAdapterException">There is no such adapter.</exception>
    public HostedAdapter Find(string adapter) => host.Find(adapter) ?? throw Unknown(adapter);

    /// <summary>Who answers for an adapter's name, or null for the model alone; for the caller to dispose of. An adapter that is not in memory is read.</summary>
    /// <exception cref="UnknownAdapterException">There is no such adapter.</exception>
    /// <exception cref="InputException">Its folder is not what it was.</exception>
    public Tenant Tenant(string? adapter)
    {
        if (adapter is null) return new Tenant($"model '{name}'", host.Tokenizer, OwnTask is null ? null : host.Take(null), vectors?.Share());
        AdapterLease lease;
        try
        {
            lease = host.Take(adapter);
        }
        catch (InputException) when (host.Find(adapter) is null)
        {
            throw Unknown(adapter);
        }

        string called = $"adapter '{adapter}' of model '{name}'";
        return lease.Embeds is null ? new Tenant(called, host.Tokenizer, lease, null) : new Tenant(called, host.Tokenizer, null, lease);
    }

    /// <summary>Computes texts, whoever's they are, in one pass, and leaves each one's answer in it, or why it has none.</summary>
    public void Answer(IReadOnlyList<QueuedText> texts, CancellationToken cancellation)
    {
        IReadOnlyList<AdapterOutput> outputs = host.Compute([.. texts.Select(static text => text.AsTokens)], texts.Count, cancellation);
        foreach ((int i, AdapterOutput output) in outputs.Index())
        {
            if (output.Error is { } error) texts[i].Fault = new InputException($"model '{name}': {error.Message}", error);
            else texts[i].Answer = output.Values;
        }
    }

    /// <summary>Adds an adapter or takes it in another's place; texts that are under way are answered by the one they were taken for.</summary>
    /// <param name="adapter">Its name.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="replaces">Whether it has replaced one.</param>
    /// <exception cref="InputException">Its folder is damaged, or it does not fit the model; nothing has changed then.</exception>
    public HostedAdapter Put(string adapter, string folder, out bool replaces)
    {
        replaces = host.Find(adapter) is not null;
        return host.Put(adapter, folder);
    }

    /// <summary>Takes an adapter away; whether there was one.</summary>
    public bool Remove(string adapter) => host.Remove(adapter);

    public void Dispose()
    {
        vectors?.Dispose();
        host.Dispose();
    }

    private UnknownAdapterException Unknown(string adapter)
    {
        IReadOnlyList<HostedAdapter> known = host.Adapters;
        string listed = known.Count == 0 ? "it has none" : $"it has {string.Join(", ", known.Take(10).Select(static one => one.Name))}{(known.Count > 10 ? $" and {known.Count - 10:N0} others" : "")}";
        return new UnknownAdapterException(adapter, $"model '{name}' has no adapter '{adapter}'; {listed}");
    }
}
