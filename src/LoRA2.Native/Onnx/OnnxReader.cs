using System.Globalization;
using LoRA2.Native.Files;

namespace LoRA2.Native.Onnx;

/// <summary>Reads ONNX models: the messages of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, as far as an encoder's weights need them.</summary>
internal static class OnnxReader
{
    /// <summary>Reads a model's graph. Nothing that the file says is believed before it is checked.</summary>
    /// <exception cref="InputException">The file can't be read or is not a whole ONNX model.</exception>
    public static OnnxGraph Read(string path)
    {
        byte[] bytes;
        try
        {
            bytes = RegularFile.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"'{path}' does not exist; an ONNX model was expected", e);
        }

        ProtobufFields? graph = null;
        var model = new ProtobufFields(path, bytes);
        while (model.Next())
        {
            if (model.Number == 7) graph = model.Message;
        }

        return graph is { } found ? Graph(path, found) : throw new InputException($"{path}: not an ONNX model: there is no graph in it");
    }

    private static OnnxGraph Graph(string path, ProtobufFields graph)
    {
        var nodes = new List<OnnxNode>();
        var tensors = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        while (graph.Next())
        {
            if (graph.Number == 1)
            {
                OnnxNode node = Node(path, graph.Message);
                nodes.Add(node);
                if (node.Op == "Constant" && node.Outputs.Count > 0 && node.Attributes.TryGetValue("value", out OnnxAttribute? value) && value.Tensor is { } constant)
                    Add(constant with { Name = node.Outputs[0] });
            }
            else if (graph.Number == 5)
            {
                Add(TensorFields.Read(path, graph.Message));
            }
        }

        return nodes.Count > 0 ? new OnnxGraph(path, nodes, tensors) : throw new InputException($"{path}: not an ONNX model: there is no node in its graph");

        void Add(OnnxTensor tensor)
        {
            if (!tensors.TryAdd(tensor.Name, tensor)) throw new InputException($"{path}: tensor {Quote.Name(tensor.Name)} is there twice");
        }
    }

    private static OnnxNode Node(string path, ProtobufFields fields)
    {
        List<string> inputs = [], outputs = [];
        (string name, string op, string domain) = ("", "", "");
        var attributes = new Dictionary<string, OnnxAttribute>(StringComparer.Ordinal);
        while (fields.Next())
        {
            switch (fields.Number)
            {
                case 1:
                    inputs.Add(fields.Text);
                    break;
                case 2:
                    outputs.Add(fields.Text);
                    break;
                case 3:
                    name = fields.Text;
                    break;
                case 4:
                    op = fields.Text;
                    break;
                case 5:
                    Attribute(path, fields.Message, attributes);
                    break;
                case 7:
                    domain = fields.Text;
                    break;
            }
        }

        return new OnnxNode(name, op, domain, inputs, outputs, attributes);
    }

    private static void Attribute(string path, ProtobufFields fields, Dictionary<string, OnnxAttribute> attributes)
    {
        string name = "";
        var value = new OnnxAttribute(0, 0, [], "", null);
        List<long> integers = [];
        while (fields.Next())
        {
            switch (fields.Number)
            {
                case 1:
                    name = fields.Text;
                    break;
                case 2:
                    value = value with { Float = fields.Float };
                    break;
                case 3:
                    value = value with { Integer = fields.Integer };
                    break;
                case 4 when fields.Bytes.Length <= 64:
                    value = value with { Text = System.Text.Encoding.UTF8.GetString(fields.Bytes.Span) };
                    break;
                case 5:
                    value = value with { Tensor = TensorFields.Read(path, fields.Message) };
                    break;
                case 8:
                    fields.AddIntegers(integers);
                    break;
            }
        }

        // Numbers that a Constant carries without a tensor are tensors too.
        if (name is "value_int" or "value_ints" or "value_float") (name, value) = ("value", value with { Tensor = TensorFields.Of(path, name, value, integers) });
        attributes[name] = value with { Integers = integers };
    }

    /// <summary>A number in an external tensor's description.</summary>
    public static long Number(string path, string tensor, string key, string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw new InputException($"{path}: tensor {Quote.Name(tensor)} has the {key} {Quote.Name(text)}; a number of bytes was expected");
}
