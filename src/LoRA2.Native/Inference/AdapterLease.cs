using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tasks.Kinds;

namespace LoRA2.Native.Inference;

/// <summary>
/// One version of an <see cref="AdapterHost"/>'s adapter, which stays as it is and in memory until this is disposed of, whatever becomes of its name meanwhile: for a queue, whose requests are
/// answered by the version that they were accepted for.
/// </summary>
public sealed class AdapterLease : IDisposable
{
    private AdapterVersion? version;

    internal AdapterLease(string? name, AdapterVersion version)
    {
        this.version = version;
        Name = name;
        Task = version.Task;
        Config = version.Config;
        MaxLength = version.MaxLength;
        Version = version.Number;
    }

    /// <summary>The adapter's name; null for the model without one.</summary>
    public string? Name { get; }

    /// <summary>What it predicts.</summary>
    public TaskDescription Task { get; }

    /// <summary>How it makes a vector of a text; null where it predicts something.</summary>
    public EmbeddingSettings? Embeds => (Task.Kind as EmbeddingsTask)?.Settings;

    /// <summary>The model's shape, with the labels of this adapter's head.</summary>
    public EncoderConfig Config { get; }

    /// <summary>Tokens after which its inputs are cut.</summary>
    public int MaxLength { get; }

    /// <summary>Its number, see <see cref="HostedAdapter.Version"/>; 0 for the model without an adapter.</summary>
    public long Version { get; }

    /// <summary>The version itself, for the caller to release, also where this is given back meanwhile.</summary>
    /// <exception cref="ObjectDisposedException">It was given back.</exception>
    internal AdapterVersion Retain() => Volatile.Read(ref version) is { } held && held.TryRetain() ? held : throw new ObjectDisposedException(nameof(AdapterLease));

    /// <summary>Another lease of the same version, to be disposed of by itself.</summary>
    /// <exception cref="ObjectDisposedException">This one was given back.</exception>
    public AdapterLease Share() => new(Name, Retain());

    /// <summary>Gives it back; the second time it does nothing.</summary>
    public void Dispose() => Interlocked.Exchange(ref version, null)?.Release();
}
