using System.Runtime.InteropServices;
using Google.Protobuf;

namespace LoRA2.Native.Peers.Onnx;

/// <summary>
/// Makes products with constant right sides int8, as ONNX Runtime's own dynamic quantisation writes them: weights symmetric for each column, activations as uint8 of a whole tensor at run
/// time. ONNX Runtime fuses the five nodes into one.
/// </summary>
internal static class Quantisation
{
    // Fields of ONNX's messages.
    private const int ModelGraph = 7, ModelOpset = 8, OpsetVersion = 2, GraphNode = 1, GraphInitializer = 5, NodeInput = 1, NodeOutput = 2, NodeType = 4, NodeAttribute = 5;
    private const int TensorDims = 1, TensorType = 2, TensorName = 8, TensorRaw = 9, AttributeName = 1, AttributeInteger = 3, AttributeType = 20;
    private const int Float = 1, Int8 = 3;

    public static int Run(string from, string to)
    {
        Message model = Message.Parse(ByteString.FromStream(File.OpenRead(from)));
        Message graph = Message.Parse(model.All(ModelGraph).Single());
        var constants = graph.All(GraphInitializer).Select(Message.Parse).ToDictionary(tensor => tensor.Text(TensorName));
        var nodes = new List<Message>();
        var rounded = new HashSet<string>();
        var replaced = new HashSet<string>();
        var added = new List<Message>();
        foreach (Message node in graph.All(GraphNode).Select(Message.Parse))
        {
            string[] inputs = [.. node.Texts(NodeInput)];
            if (node.Text(NodeType) != "MatMul" || !constants.TryGetValue(inputs[1], out Message? weight) || weight.Numbers(TensorDims) is not [var rows, var columns])
            {
                nodes.Add(node);
                continue;
            }

            (string x, string w, string y) = (inputs[0], inputs[1], node.Text(NodeOutput));
            if (replaced.Add(w)) added.AddRange(Rounded(weight, w, (int)rows, (int)columns));
            if (rounded.Add(x)) nodes.Add(Node("DynamicQuantizeLinear", [x], [x + "_q", x + "_s", x + "_z"]));
            nodes.Add(Node("MatMulInteger", [x + "_q", w + "_q", x + "_z", w + "_z"], [y + "_i"]));
            nodes.Add(Node("Cast", [y + "_i"], [y + "_f"]).Add(NodeAttribute, new Message().Add(AttributeName, "to").Add(AttributeInteger, Float).Add(AttributeType, 2)));
            nodes.Add(Node("Mul", [x + "_s", w + "_s"], [y + "_s"]));
            nodes.Add(Node("Mul", [y + "_f", y + "_s"], [y]));
        }

        var used = nodes.SelectMany(node => node.Texts(NodeInput)).ToHashSet();
        graph.Without(GraphNode).Without(GraphInitializer);
        foreach (Message node in nodes) graph.Add(GraphNode, node);
        foreach (Message tensor in constants.Values.Concat(added).Where(tensor => used.Contains(tensor.Text(TensorName)))) graph.Add(GraphInitializer, tensor);
        long opset = model.All(ModelOpset).Select(Message.Parse).Max(set => set.Numbers(OpsetVersion).FirstOrDefault());
        model.Without(ModelGraph).Without(ModelOpset).Add(ModelGraph, graph).Add(ModelOpset, new Message().Add(OpsetVersion, Math.Max(11, opset)));
        File.WriteAllBytes(to, model.ToByteString().ToByteArray());
        return replaced.Count;
    }

    private static IEnumerable<Message> Rounded(Message weight, string name, int rows, int columns)
    {
        float[] values = MemoryMarshal.Cast<byte, float>(weight.All(TensorRaw).Single().Span).ToArray();
        var scales = new float[columns];
        for (int i = 0; i < values.Length; i++) scales[i % columns] = Math.Max(scales[i % columns], Math.Abs(values[i]) / 127);
        sbyte[] integers = [.. values.Select((value, i) => scales[i % columns] == 0 ? (sbyte)0 : (sbyte)Math.Clamp(MathF.Round(value / scales[i % columns]), -127, 127))];
        yield return Tensor(name + "_q", Int8, MemoryMarshal.AsBytes(integers.AsSpan()), rows, columns);
        yield return Tensor(name + "_s", Float, MemoryMarshal.AsBytes(scales.AsSpan()), columns);
        yield return Tensor(name + "_z", Int8, new byte[columns], columns);
    }

    private static Message Tensor(string name, int type, ReadOnlySpan<byte> bytes, params int[] dims)
    {
        var tensor = new Message();
        foreach (int extent in dims) tensor.Add(TensorDims, extent);
        return tensor.Add(TensorType, type).Add(TensorName, name).Add(TensorRaw, ByteString.CopyFrom(bytes));
    }

    private static Message Node(string type, string[] inputs, string[] outputs)
    {
        var node = new Message();
        foreach (string input in inputs) node.Add(NodeInput, input);
        foreach (string output in outputs) node.Add(NodeOutput, output);
        return node.Add(NodeType, type);
    }
}
