using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors.Memory;

/// <summary>What the <see cref="TensorScope"/> open at one depth of a thread owns. Scopes that follow each other at a depth share the object.</summary>
internal sealed class ScopeFrame
{
    [ThreadStatic]
    private static ScopeFrame? outermost;

    [ThreadStatic]
    private static ScopeFrame? current;

    private readonly ScopeFrame? parent;
    private readonly List<Tensor?> owned = [];
    private ScopeFrame? inner;
    private TensorReuse? reuse;

    private ScopeFrame(ScopeFrame? parent) => this.parent = parent;

    /// <summary>The innermost open one of this thread.</summary>
    public static ScopeFrame? Current => current;

    /// <summary>How many scopes it has served.</summary>
    public int Generation { get; private set; }

    public static ScopeFrame Open(TensorReuse? reuse)
    {
        current = current is null ? outermost ??= new ScopeFrame(null) : current.inner ??= new ScopeFrame(current);
        current.reuse = ObjectArena.Current is null ? reuse : null;
        current.reuse?.Open();
        return current;
    }

    public void Keep(Tensor tensor)
    {
        if (tensor.Owner != this) return;
        if (reuse is not null) tensor.Leave();
        else Forget(tensor);
        parent?.Adopt(tensor);
    }

    public void Adopt(Tensor tensor)
    {
        tensor.Owner = this;
        tensor.OwnerIndex = owned.Count;
        owned.Add(tensor);
    }

    public void Forget(Tensor tensor)
    {
        owned[tensor.OwnerIndex] = null;
        tensor.Owner = null;
    }

    public void Close()
    {
        if (current != this) throw new InvalidOperationException("a tensor scope was disposed while an inner one was still open");
        current = parent;
        Generation++;
        for (int i = 0; i < owned.Count; i++)
        {
            // Not foreach: a tensor's disposal takes its gradient, if that is owned here too, out of the list.
            if (owned[i] is not { } tensor) continue;
            tensor.Owner = null;
            tensor.Dispose();
        }

        owned.Clear();
        reuse?.Close();
    }
}
