using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors.Memory;

/// <summary>
/// The tensors and nodes that one thread hands out one after the other inside a reusing <see cref="TensorScope"/>, and that are handed out again inside
/// the next. One that is still alive then is left to its owner.
/// </summary>
internal sealed class ObjectArena
{
    [ThreadStatic]
    private static ObjectArena? current;

    private readonly List<Tensor> tensors = [];
    private readonly Dictionary<Type, object> nodes = [];
    private int used;
    private int round;

    /// <summary>The arena of the reusing scope this thread is in, or null.</summary>
    public static ObjectArena? Current => current;

    /// <summary>A node nobody uses; a new one outside of reusing scopes.</summary>
    public static T Node<T>()
        where T : Node, new() => current is null ? new T() : current.NextNode<T>();

    /// <summary>Begins a round on this thread.</summary>
    public void Open()
    {
        current = this;
        used = 0;
        round++;
    }

    /// <summary>Ends it.</summary>
    public static void Close() => current = null;

    /// <summary>Lets go of blocks of memory, which now go to other tensors: nothing here may keep those alive.</summary>
    public void ForgetStorages()
    {
        for (int i = 0; i < used; i++)
        {
            if (tensors[i].IsReusable) tensors[i].ForgetStorage();
        }
    }

    public Tensor NextTensor()
    {
        if (used == tensors.Count) tensors.Add(new Tensor());
        else if (!tensors[used].IsReusable) tensors[used] = new Tensor();
        return tensors[used++];
    }

    private T NextNode<T>()
        where T : Node, new()
    {
        if (!nodes.TryGetValue(typeof(T), out object? found)) nodes[typeof(T)] = found = new Nodes<T>();
        return ((Nodes<T>)found).Next(round);
    }

    private sealed class Nodes<T>
        where T : Node, new()
    {
        private readonly List<T> nodes = [];
        private int used;
        private int round;

        public T Next(int current)
        {
            if (round != current) used = 0;
            round = current;
            if (used == nodes.Count) nodes.Add(new T());
            else if (!nodes[used].MayBeReused || nodes[used].Tape is not null) nodes[used] = new T();
            T node = nodes[used++];
            node.MayBeReused = true;
            return node;
        }
    }
}
