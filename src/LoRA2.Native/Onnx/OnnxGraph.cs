namespace LoRA2.Native.Onnx;

/// <summary>What is read of an ONNX model: its main graph. Subgraphs of control flow are not.</summary>
/// <param name="Path">The file.</param>
/// <param name="Nodes">The operators, in the file's order, which is one of computation.</param>
/// <param name="Tensors">Initialisers and the values of Constant nodes, by name.</param>
internal sealed record OnnxGraph(string Path, IReadOnlyList<OnnxNode> Nodes, IReadOnlyDictionary<string, OnnxTensor> Tensors);

/// <summary>An operator with its operands.</summary>
/// <param name="Name">The node's name; empty where the file gives none.</param>
/// <param name="Op">The operator.</param>
/// <param name="Domain">Whose operator; empty for ONNX's own.</param>
/// <param name="Inputs">Names of values; empty for one left out.</param>
/// <param name="Outputs">Names of values.</param>
/// <param name="Attributes">By name.</param>
internal sealed record OnnxNode(string Name, string Op, string Domain, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, IReadOnlyDictionary<string, OnnxAttribute> Attributes)
{
    /// <summary>The node's name, or what tells it from others.</summary>
    public string Label => Name.Length > 0 ? Name : $"{Op} of {(Outputs.Count > 0 ? Outputs[0] : "nothing")}";

    /// <summary>
    /// The module that PyTorch's exporter made the node in, from 1.13 on, <c>/encoder/layer.0/output/dense/MatMul</c>; null where the name does not say it.
    /// </summary>
    public string? Module => Name.StartsWith('/') && Name.LastIndexOf('/') is > 0 and int end ? Name[1..end].Replace('/', '.') : null;

    /// <summary>A whole number among the attributes.</summary>
    public long Integer(string name, long fallback) => Attributes.TryGetValue(name, out OnnxAttribute? found) ? found.Integer : fallback;
}

/// <summary>A value that a node carries itself.</summary>
/// <param name="Integer">Its whole number.</param>
/// <param name="Float">Its number.</param>
/// <param name="Integers">Its whole numbers.</param>
/// <param name="Text">Its text.</param>
/// <param name="Tensor">Its tensor, or null.</param>
internal sealed record OnnxAttribute(long Integer, float Float, IReadOnlyList<long> Integers, string Text, OnnxTensor? Tensor);
