using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors.Memory;

/// <summary>
/// Owns every tensor made on this thread while it is the innermost scope, and returns their memory when it is disposed. A result is moved out
/// with <see cref="Keep"/>. What the tape saved for a gradient stays until the tape is done with it. Scopes end in the reverse order of their
/// beginnings.
/// </summary>
/// <example><code>
/// using var scope = new TensorScope();
/// Tensor y = scope.Keep(Ops.Gelu(Ops.Linear(x, w, b)));   // the product's memory is returned, y's is the caller's
/// </code></example>
public readonly struct TensorScope : IDisposable
{
    private readonly ScopeFrame? frame;
    private readonly int generation;

    /// <summary>Opens a scope inside the thread's current one.</summary>
    public TensorScope()
        : this(null)
    {
    }

    /// <summary>Opens a scope whose tensors, and those of the scopes inside it, are objects used before; plain when it is null.</summary>
    public TensorScope(TensorReuse? reuse)
    {
        frame = ScopeFrame.Open(reuse);
        generation = frame.Generation;
    }

    private ScopeFrame? Open => frame?.Generation == generation ? frame : null;

    /// <summary>Moves a tensor of this scope to the enclosing one, or to the caller when there is none, and returns it.</summary>
    public Tensor Keep(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        Open?.Keep(tensor);
        return tensor;
    }

    /// <summary>Takes a tensor of this scope out of every scope: the caller disposes of it.</summary>
    public Tensor Detach(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.Leave();
    }

    /// <summary>Returns the memory of every tensor still owned.</summary>
    /// <exception cref="InvalidOperationException">An inner scope is still open.</exception>
    public void Dispose() => Open?.Close();
}
