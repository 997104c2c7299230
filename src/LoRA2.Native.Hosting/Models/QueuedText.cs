namespace LoRA2.Native.Hosting.Models;

/// <summary>A text on its way through the queue.</summary>
/// <param name="tenant">Who answers it: one version of a model and adapter, from here to the answer.</param>
/// <param name="work">What is asked.</param>
/// <param name="ids">Its tokens.</param>
/// <param name="typeIds">Their segments.</param>
/// <param name="isCut">Whether it was longer.</param>
internal sealed class QueuedText(Tenant tenant, TextWork work, int[] ids, int[] typeIds, bool isCut)
{
    public Tenant Tenant { get; } = tenant;

    public TextWork Work { get; } = work;

    public int[] Ids { get; } = ids;

    public int[] TypeIds { get; } = typeIds;

    public bool IsCut { get; } = isCut;

    /// <summary>Logits, or a vector that is not normalised; set when it is computed.</summary>
    public float[] Answer { get; set; } = [];
}
