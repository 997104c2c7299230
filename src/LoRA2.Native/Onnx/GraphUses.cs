namespace LoRA2.Native.Onnx;

/// <summary>Who makes and who uses each value of a graph.</summary>
internal sealed class GraphUses
{
    /// <summary>A chain of nodes that only pass a value on is not longer; a damaged graph may run in a circle.</summary>
    private const int LongestChain = 16;

    private readonly Dictionary<string, OnnxNode> producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<OnnxNode>> consumers = new(StringComparer.Ordinal);

    public GraphUses(OnnxGraph graph)
    {
        Graph = graph;
        foreach (OnnxNode node in graph.Nodes)
        {
            foreach (string output in node.Outputs) producers.TryAdd(output, node);
            foreach (string input in node.Inputs.Where(input => input.Length > 0).Distinct())
            {
                if (!consumers.TryGetValue(input, out List<OnnxNode>? list)) consumers[input] = list = [];
                list.Add(node);
            }
        }
    }

    public OnnxGraph Graph { get; }

    /// <summary>The node that makes a value, or null for a constant or an input of the graph.</summary>
    public OnnxNode? Producer(string value) => producers.GetValueOrDefault(value);

    /// <summary>The nodes that use a value.</summary>
    public IReadOnlyList<OnnxNode> Consumers(string value) => consumers.TryGetValue(value, out List<OnnxNode>? list) ? list : [];

    /// <summary>The constant that a value is, behind casts and transpositions; null when it is computed.</summary>
    public (OnnxTensor Tensor, bool IsTransposed)? Constant(string value)
    {
        bool transposed = false;
        for (int i = 0; i < LongestChain; i++)
        {
            if (Graph.Tensors.TryGetValue(value, out OnnxTensor? tensor)) return (tensor, transposed);
            if (Producer(value) is not { Inputs.Count: > 0 } node) return null;
            if (node.Op is "Transpose")
            {
                IReadOnlyList<long>? order = node.Attributes.GetValueOrDefault("perm")?.Integers;
                if (order is not (null or [1, 0])) return null;
                transposed = !transposed;
            }
            else if (node.Op is not ("Cast" or "Identity"))
            {
                return null;
            }

            value = node.Inputs[0];
        }

        return null;
    }

    /// <summary>The number that a value is, or null.</summary>
    public double? Scalar(string value) => Constant(value)?.Tensor.Scalar();
}
