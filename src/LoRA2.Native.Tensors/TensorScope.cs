namespace LoRA2.Native.Tensors;

/// <summary>
/// Owns every tensor made on this thread while it is the innermost scope, and returns their memory when it is disposed. A result is moved out
/// with <see cref="Keep"/>. What the tape saved for a gradient stays until the tape is done with it.
/// </summary>
/// <example><code>
/// using var scope = new TensorScope();
/// Tensor y = scope.Keep(Ops.Gelu(Ops.Linear(x, w, b)));   // the product's memory is returned, y's is the caller's
/// </code></example>
public sealed class TensorScope : IDisposable
{
    [ThreadStatic]
    private static TensorScope? current;

    private readonly TensorScope? parent = current;
    private readonly List<Tensor> owned = [];
    private bool disposed;

    /// <summary>Opens a scope inside the thread's current one.</summary>
    public TensorScope() => current = this;

    /// <summary>Moves a tensor of this scope to the enclosing one, or to the caller when there is none, and returns it.</summary>
    public Tensor Keep(Tensor tensor)
    {
        if (tensor.Owner != this) return tensor;
        owned[tensor.OwnerIndex] = null!;
        tensor.Owner = null;
        parent?.Adopt(tensor);
        return tensor;
    }

    /// <summary>Takes a tensor of this scope out of every scope: the caller disposes of it.</summary>
    public Tensor Detach(Tensor tensor)
    {
        tensor.Owner?.Forget(tensor);
        return tensor;
    }

    /// <summary>Returns the memory of every tensor still owned.</summary>
    /// <exception cref="InvalidOperationException">An inner scope is still open.</exception>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        if (current != this) throw new InvalidOperationException("a tensor scope was disposed while an inner one was still open");
        current = parent;
        for (int i = 0; i < owned.Count; i++)
        {
            // Not foreach: a tensor's disposal takes its gradient, if that is owned here too, out of the list.
            if (owned[i] is not { } tensor) continue;
            tensor.Owner = null;
            tensor.Dispose();
        }

        owned.Clear();
    }

    internal static void Register(Tensor tensor) => current?.Adopt(tensor);

    internal void Forget(Tensor tensor)
    {
        owned[tensor.OwnerIndex] = null!;
        tensor.Owner = null;
    }

    private void Adopt(Tensor tensor)
    {
        tensor.Owner = this;
        tensor.OwnerIndex = owned.Count;
        owned.Add(tensor);
    }
}
