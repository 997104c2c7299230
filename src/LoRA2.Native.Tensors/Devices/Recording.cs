using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Devices;

/// <summary>The ops that a <see cref="Tape"/> recorded. Tapes that follow each other on a thread share the object.</summary>
internal sealed class Recording
{
    [ThreadStatic]
    private static Stack<Recording>? unused;

    [ThreadStatic]
    private static Recording? current;

    private readonly List<Node> nodes = [];
    private Recording? outer;

    /// <summary>The innermost of this thread, or null; null while a backward pass runs.</summary>
    public static Recording? Current => current;

    /// <summary>Whether an open tape of this thread holds an op.</summary>
    public static bool HoldsOps
    {
        get
        {
            for (Recording? open = current; open is not null; open = open.outer)
            {
                if (open.nodes.Count > 0) return true;
            }

            return false;
        }
    }

    /// <summary>How many tapes it has served.</summary>
    public int Generation { get; private set; }

    public bool DetectAnomaly { get; set; }

    public int Length => nodes.Count;

    public static Recording Open()
    {
        if (unused is null || !unused.TryPop(out Recording? recording)) recording = new Recording();
        recording.outer = current;
        recording.DetectAnomaly = false;
        return current = recording;
    }

    public void Add(Node node) => nodes.Add(node);

    public void Backward(Tensor loss, Tensor? seed)
    {
        Recording? recording = current;
        GradientMap? map = GradientMap.Current;
        current = null;
        GradientMap.Leave(null);
        try
        {
            using (new TensorScope()) Node.Accumulate(loss, seed?.Clone().To(loss.Device) ?? Tensor.Full(loss.Shape, 1, loss.DType, loss.Device));

            GradientWatch? watch = GradientWatch.Enter(nodes.Count);
            for (int i = nodes.Count - 1; i >= 0; i--)
            {
                Step(nodes[i]);
                watch?.Stepped();
            }
        }
        finally
        {
            Empty();
            current = recording;
            GradientMap.Leave(map);
        }
    }

    /// <summary>The gradients of y with respect to some tensors; with <paramref name="createGraph"/> they are recorded here too, and the ops stay.</summary>
    public Tensor[] Gradients(Tensor y, Tensor? seed, ReadOnlySpan<Tensor> inputs, bool createGraph)
    {
        Recording? recording = current;
        current = createGraph ? this : null;
        var map = new GradientMap(createGraph);
        GradientMap? before = map.Enter();
        try
        {
            using (new TensorScope()) map.Add(y, seed ?? Tensor.Full(y.Shape, 1, y.DType, y.Device));
            for (int i = nodes.Count - 1; i >= 0; i--) Step(nodes[i], map, createGraph);
            return map.Take(inputs);
        }
        finally
        {
            GradientMap.Leave(before);
            if (!createGraph) Empty();
            current = recording;
        }
    }

    public void Close()
    {
        Empty();
        Generation++;
        if (current == this) current = outer;
        for (Recording? open = current; open is not null; open = open.outer)
        {
            if (open.outer == this) open.outer = outer;
        }

        (unused ??= new Stack<Recording>()).Push(this);
    }

    public static bool IsFinite(Tensor x)
    {
        using var scope = new TensorScope();
        return x.Device.Kernels.IsFinite(x.To(x.DType));
    }

    /// <summary>Runs <paramref name="body"/> without recording it.</summary>
    public static Tensor Unrecorded(Func<Tensor> body)
    {
        Recording? recording = current;
        current = null;
        try
        {
            return body();
        }
        finally
        {
            current = recording;
        }
    }

    private void Empty()
    {
        foreach (Node node in nodes)
        {
            node.Output?.ClearGrad();
            node.Release();
        }

        nodes.Clear();
    }

    private static void Step(Node node, GradientMap map, bool createGraph)
    {
        if (node.Output is { } output && map.Of(output) is { } gradient)
        {
            using (new TensorScope())
            {
                if (createGraph) node.RecordedBackward(gradient);
                else node.Backward(gradient);
            }
        }
    }

    private void Step(Node node)
    {
        Tensor output = node.Output!;
        if (output.Grad is { } gradient)
        {
            if (DetectAnomaly && !IsFinite(gradient)) throw new AnomalyException(node.Name, "gradient");
            using (new TensorScope()) node.Backward(gradient);
            output.ClearGrad();
        }

        node.Release();
    }
}
