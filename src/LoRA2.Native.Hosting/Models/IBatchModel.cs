using LoRA2.Native.Files;

namespace LoRA2.Native.Hosting.Models;

/// <summary>A model with its adapters, as the queue's workers compute with it. Any number of threads may call.</summary>
internal interface IBatchModel : IDisposable
{
    /// <summary>The names of its adapters.</summary>
    IReadOnlyCollection<string> Adapters { get; }

    /// <summary>Who answers for an adapter's name, or null for the model alone.</summary>
    /// <exception cref="UnknownAdapterException">There is no such adapter.</exception>
    Tenant Tenant(string? adapter);

    /// <summary>Computes texts, whoever's they are, and leaves each one's answer in it.</summary>
    void Answer(IReadOnlyList<QueuedText> texts, CancellationToken cancellation);

    /// <summary>Adds an adapter or takes it in another's place; texts that are under way are answered by the one they were taken for.</summary>
    /// <returns>Whether it has replaced one.</returns>
    /// <exception cref="InputException">Its folder is damaged, or it does not fit the model; nothing has changed then.</exception>
    bool Put(string name, string folder);

    /// <summary>Takes an adapter away; whether there was one.</summary>
    bool Remove(string name);
}
