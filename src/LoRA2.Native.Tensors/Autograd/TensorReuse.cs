using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Autograd;

/// <summary>
/// The objects of a step that is repeated: tensors, and the ops on a tape. A <see cref="TensorScope"/> opened with it takes them instead of making
/// new ones, so that a step like the one before makes no garbage. Threads that open scopes with it at the same time get different ones.
/// </summary>
/// <remarks>
/// Until the outermost scope that was opened with it ends nothing is handed out twice. After that no reference to one of the scope's tensors may be used,
/// nor to those of the scopes inside it or to their gradients; it may show another tensor. What was moved out with <see cref="TensorScope.Keep"/> or
/// <see cref="TensorScope.Detach"/>, and what a tape outside the scope recorded, is never handed out again. It is for code that knows where its tensors go:
/// training and evaluation here use it only with this library's own adapters. <see cref="Checks"/> finds mistakes.
/// </remarks>
/// <example><code>
/// var reuse = new TensorReuse();
/// for (uint step = 0; step &lt; steps; step++)
/// {
///     using var scope = new TensorScope(reuse);
///     using var tape = new Tape();
///     context.Begin(step);
///     tape.Backward(model.Loss(model.Forward(batch, context), labels));
///     optimizer.Step(1e-3);
///     optimizer.ClearGradients();
/// }
/// </code></example>
public sealed class TensorReuse
{
    private readonly Stack<ObjectArena> unused = [];

    /// <summary>
    /// For debugging: nothing is handed out again in this process, so that a tensor used after its scope throws
    /// <see cref="ObjectDisposedException"/>, as it does without reuse. Results are the same bits.
    /// </summary>
    public static bool Checks { get; set; }

    /// <summary>Begins a round of objects on this thread.</summary>
    internal void Open()
    {
        ObjectArena? arena;
        lock (unused) unused.TryPop(out arena);
        (arena ?? new ObjectArena()).Open();
    }

    /// <summary>Ends it. What a tape outside still needs is not handed out again.</summary>
    internal void Close()
    {
        ObjectArena arena = ObjectArena.Current!;
        ObjectArena.Close();
        if (Checks || Recording.HoldsOps) return;
        arena.ForgetStorages();
        lock (unused) unused.Push(arena);
    }
}
