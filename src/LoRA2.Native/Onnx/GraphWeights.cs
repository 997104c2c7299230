using LoRA2.Native.Encoders.Weights;
using LoRA2.Native.Files;

namespace LoRA2.Native.Onnx;

/// <summary>
/// The weights of a graph under the names of the modules that they belong to. An exporter turns matrices round and calls them <c>onnx::MatMul_927</c>; such a one has its
/// name from the module that its node was made in, or else from the bias that is added to the product.
/// </summary>
internal sealed class GraphWeights : IWeightFiles
{
    private const int OwnName = 0;
    private const int NodeName = 1;
    private const int BiasBeside = 2;

    private static readonly string[] Endings = [".weight", ".bias", ".gamma", ".beta"];

    private readonly GraphUses uses;
    private readonly Dictionary<string, List<GraphWeight>> named = new(StringComparer.Ordinal);
    private readonly List<GraphWeight> unnamed = [];

    public GraphWeights(GraphUses uses)
    {
        this.uses = uses;
        foreach (OnnxNode node in uses.Graph.Nodes) Place(node);
        HashSet<OnnxTensor> placed = [.. All.Concat(unnamed).Select(weight => weight.Tensor)];
        foreach (OnnxTensor tensor in uses.Graph.Tensors.Values.Where(tensor => tensor.IsFloat && IsName(tensor.Name) && !placed.Contains(tensor)))
            Add(tensor.Name, new GraphWeight(tensor, false, null, OwnName));
    }

    public string Path => uses.Graph.Path;

    public string Remark => unnamed.Count == 0 ? "" : $"; not placed: {string.Join(", ", unnamed.Take(3))}{(unnamed.Count > 3 ? $" and {unnamed.Count - 3} more" : "")}";

    public IEnumerable<string> Names => named.Keys;

    /// <summary>Every name, with the weight that is the likeliest to have it.</summary>
    public IEnumerable<KeyValuePair<string, GraphWeight>> Named => named.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.MinBy(weight => weight.Rank)!));

    /// <summary>Matrices that nothing names.</summary>
    public IReadOnlyList<GraphWeight> Unnamed => unnamed;

    /// <summary>What <see cref="Find"/> was asked for and found, by the name that it was asked for last.</summary>
    public Dictionary<GraphWeight, string> Found { get; } = [];

    private IEnumerable<GraphWeight> All => named.Values.SelectMany(weights => weights);

    IWeight? IWeightFiles.Find(string name)
    {
        GraphWeight? weight = Find(name);
        if (weight is not null) Found[weight] = name;
        return weight;
    }

    /// <summary>The weight of a module: by its whole name, or by the only one that ends with it, since an export may have been wrapped in other modules.</summary>
    /// <exception cref="InputException">Several weights could be it.</exception>
    public GraphWeight? Find(string name)
    {
        IEnumerable<GraphWeight> found = named.TryGetValue(name, out List<GraphWeight>? exact)
            ? exact
            : named.Where(pair => pair.Key.EndsWith("." + name, StringComparison.Ordinal)).SelectMany(pair => pair.Value);
        GraphWeight[] best = [.. found.GroupBy(weight => weight.Rank).MinBy(group => group.Key)?.DistinctBy(weight => (weight.Tensor, weight.IsTurned)) ?? []];
        return best.Length < 2 ? best.FirstOrDefault() : throw new InputException($"{Path}: {best[0]} and {best[1]} could both be '{name}'; one was expected");
    }

    public void Dispose()
    {
    }

    private void Place(OnnxNode node)
    {
        switch (node.Op)
        {
            case "MatMul" when node.Inputs.Count == 2:
                Matrix(node, isTurned: false, Sums(node));
                break;
            case "Gemm" when node.Inputs.Count >= 2:
                Matrix(node, node.Integer("transB", 0) == 1, node.Inputs.Skip(2));
                if (node.Inputs.Count > 2) Vector(node, node.Inputs[2], ".bias");
                break;
            case "Add":
                foreach (string input in node.Inputs) Vector(node, input, ".bias");
                break;
            case "Mul":
                foreach (string input in node.Inputs) Vector(node, input, ".weight");
                break;
            case "LayerNormalization":
                if (node.Inputs.Count > 1) Vector(node, node.Inputs[1], ".weight");
                if (node.Inputs.Count > 2) Vector(node, node.Inputs[2], ".bias");
                break;
            case "Gather" when node.Inputs.Count > 0 && uses.Constant(node.Inputs[0]) is { Tensor: { IsFloat: true, Shape.Length: 2 } table } constant:
                Add(node, new GraphWeight(table, constant.IsTransposed, node, OwnName), ".weight");
                break;
        }
    }

    /// <summary>What is added to a product.</summary>
    private IEnumerable<string> Sums(OnnxNode product) =>
        product.Outputs.SelectMany(uses.Consumers).Where(node => node.Op == "Add").SelectMany(node => node.Inputs);

    /// <summary>The matrix of a product x W: PyTorch keeps Wᵀ.</summary>
    private void Matrix(OnnxNode node, bool isTurned, IEnumerable<string> sums)
    {
        if (uses.Constant(node.Inputs[1]) is not { Tensor: { IsFloat: true, Shape.Length: 2 } tensor } constant) return;
        var weight = new GraphWeight(tensor, isTurned == constant.IsTransposed, node, OwnName);
        bool isNamed = Add(node, weight, ".weight");
        foreach (string sum in sums)
        {
            if (uses.Constant(sum) is not { Tensor: { Shape.Length: 1 } bias } || !IsName(bias.Name) || !bias.Name.EndsWith(".bias", StringComparison.Ordinal)) continue;
            Add($"{bias.Name[..^".bias".Length]}.weight", weight with { Rank = BiasBeside });
            isNamed = true;
        }

        if (!isNamed) unnamed.Add(weight);
    }

    private void Vector(OnnxNode node, string input, string ending)
    {
        if (uses.Constant(input) is { Tensor: { IsFloat: true, Shape.Length: 1 } tensor }) Add(node, new GraphWeight(tensor, false, node, OwnName), ending);
    }

    private bool Add(OnnxNode node, GraphWeight weight, string ending)
    {
        bool isNamed = IsName(weight.Tensor.Name);
        if (isNamed) Add(weight.Tensor.Name, weight);
        if (node.Module is not { } module) return isNamed;
        Add(module + ending, weight with { Rank = NodeName });
        return true;
    }

    private void Add(string name, GraphWeight weight)
    {
        if (!named.TryGetValue(name, out List<GraphWeight>? list)) named[name] = list = [];
        list.Add(weight);
    }

    private static bool IsName(string name) => !name.StartsWith("onnx::", StringComparison.Ordinal) && Array.Exists(Endings, ending => name.EndsWith(ending, StringComparison.Ordinal));
}
