using LoRA2.Native.Hosting.Queueing;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Hosting.Models;

/// <summary>A text on its way through the queue. While it is there it keeps the version of the adapter that it was taken for.</summary>
/// <param name="lease">Who answers it.</param>
/// <param name="ids">Its tokens.</param>
/// <param name="typeIds">Their segments.</param>
/// <param name="isCut">Whether it was longer.</param>
internal sealed class QueuedText(AdapterLease lease, int[] ids, int[] typeIds, bool isCut) : IQueuedItem
{
    private AdapterLease? held;

    /// <summary>As the host takes it, while it is in the queue.</summary>
    public AdapterTokens AsTokens => new(held ?? throw new InvalidOperationException("a text is computed that is not in the queue"), Ids, TypeIds);

    public int[] Ids { get; } = ids;

    public int[] TypeIds { get; } = typeIds;

    public bool IsCut { get; } = isCut;

    public int Tokens => Ids.Length;

    /// <summary>Logits or a vector; set when it is computed.</summary>
    public float[] Answer { get; set; } = [];

    public Exception? Fault { get; set; }

    public void Enter() => held = lease.Share();

    public void Leave() => held?.Dispose();
}
