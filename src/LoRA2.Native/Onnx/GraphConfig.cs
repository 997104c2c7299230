using System.Globalization;
using System.Text.Json.Nodes;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Onnx;

/// <summary>Makes a <c>config.json</c> of what a graph shows: of encoders that have BERT's computation.</summary>
internal sealed class GraphConfig(GraphUses uses, GraphWeights weights)
{
    private InputException Error(string what) => new($"{uses.Graph.Path}: {what}");

    /// <summary>The config of BERT, RoBERTa, DistilBERT or ELECTRA.</summary>
    /// <param name="heads">Attention heads; null: as the graph shows.</param>
    /// <param name="padding">The padding token's id; null: as the graph shows, else 0.</param>
    /// <exception cref="InputException">The graph is none of these, or doesn't show a size.</exception>
    public JsonObject Read(int? heads, int? padding)
    {
        EncoderConfig family = Family();
        long[] words = Shape("embeddings.word_embeddings.weight") ?? throw Error($"no table of word embeddings was found: not an encoder, or not as PyTorch exports it{weights.Remark}");
        string first = family.Names.PathOf(0);
        GraphWeight query = Weight(family, 0, family.Names.Query)!, intermediate = Weight(family, 0, family.Names.Intermediate) ?? throw Error($"tensor '{first}.{family.Names.Intermediate}.weight' is missing{weights.Remark}");
        long hidden = query.Shape[1];
        int layers = 0;
        while (layers < EncoderConfigReader.MostLayers && Weight(family, layers, family.Names.Query) is not null) layers++;
        long[] positions = Shape("embeddings.position_embeddings.weight") ?? throw Error($"tensor 'embeddings.position_embeddings.weight' is missing{weights.Remark}");
        int found = Heads(query, hidden, heads);
        string activation = ActivationAfter(intermediate);
        var config = new JsonObject { ["model_type"] = family.ModelType, ["vocab_size"] = words[0] };
        bool isDistil = family.ModelType == "distilbert";
        void Put(string usual, string distil, JsonNode value) => config[isDistil ? distil : usual] = value;
        Put("hidden_size", "dim", hidden);
        Put("num_hidden_layers", "n_layers", layers);
        Put("num_attention_heads", "n_heads", found);
        Put("intermediate_size", "hidden_dim", intermediate.Shape[0]);
        Put("hidden_act", "activation", activation);
        Put("hidden_dropout_prob", "dropout", 0.1);
        Put("attention_probs_dropout_prob", "attention_dropout", 0.1);
        config["initializer_range"] = 0.02;
        config["max_position_embeddings"] = positions[0];
        config["pad_token_id"] = PaddingInPositions() ?? padding ?? 0;
        if (isDistil) return config;
        if (family.ModelType == "electra") config["embedding_size"] = words[1];
        config["layer_norm_eps"] = NormEpsilon();
        config["type_vocab_size"] = Shape("embeddings.token_type_embeddings.weight")?[0] ?? 0;
        return config;
    }

    /// <summary>The heads of a config that was given, compared with the graph where that shows them.</summary>
    /// <exception cref="InputException">They differ.</exception>
    public void RequireHeads(EncoderConfig config)
    {
        if (Weight(config, 0, config.Names.Query) is { } query && HeadsInReshape(query, config.HiddenSize) is { } shown && shown != config.Heads)
            throw Error($"the graph has {shown} attention heads and the config {config.Heads}; as many were expected");
    }

    private EncoderConfig Family()
    {
        EncoderConfig[] fitting = [.. EncoderFamilies.All.Where(family => Weight(family, 0, family.Names.Query) is not null)];
        if (fitting.Length == 0) throw Error($"no layer of an encoder was found in the graph; {EncoderFamilies.Listed("or")} as PyTorch exports it was expected{weights.Remark}");
        EncoderConfig[] named = [.. fitting.Where(family => weights.Named.Any(pair => pair.Key.StartsWith(family.Prefix + ".", StringComparison.Ordinal)))];
        bool counts = PaddingInPositions() is not null;
        string[] known = ["bert", "roberta", "distilbert", "electra"];
        EncoderConfig chosen = named.Length > 0 ? named[0]
            : weights.Find("embeddings_project.weight") is not null ? EncoderFamilies.Of("electra")!
            : fitting.FirstOrDefault(family => family.ModelType == (counts ? "roberta" : "bert")) ?? fitting[0];
        return known.Contains(chosen.ModelType) ? chosen : throw Error($"{chosen.Title} has settings that a graph doesn't show; its config.json was expected beside the model or as --config");
    }

    private GraphWeight? Weight(EncoderConfig family, int layer, string module) => weights.Find($"{family.Names.PathOf(layer)}.{module}.weight");

    private long[]? Shape(string name) => weights.Find(name) is { } weight ? weight.Shape.Length == 2 ? weight.Shape.ToArray() : throw Error($"tensor '{name}' has {weight.Shape.Length} extents; 2 were expected") : null;

    /// <summary>RoBERTa's positions count the tokens that are not padding: its id, or null where positions are simply numbered.</summary>
    private int? PaddingInPositions()
    {
        if (weights.Find("embeddings.position_embeddings.weight")?.Node is not { Op: "Gather" } lookup) return null;
        List<OnnxNode> before = Before(lookup);
        if (before.TrueForAll(node => node.Op != "CumSum")) return null;
        foreach (string input in before.Where(node => node.Op == "Equal").SelectMany(node => node.Inputs))
        {
            if (uses.Scalar(input) is >= 0 and < int.MaxValue and double id) return (int)id;
        }

        return EncoderFamilies.Of("roberta")!.PadTokenId;
    }

    private int Heads(GraphWeight query, long hidden, int? given)
    {
        int? shown = HeadsInReshape(query, hidden);
        if (given is { } asked && hidden % asked != 0) throw Error($"--heads is {asked}; a divisor of the hidden size {hidden} was expected");
        if (given is not null && shown is not null && given != shown) throw Error($"--heads is {given}; the graph has {shown}");
        return given ?? shown ?? throw Error("the graph doesn't show the number of attention heads; --heads or --config was expected");
    }

    /// <summary>How the queries are split: the last two extents of the Reshape behind the projection.</summary>
    private int? HeadsInReshape(GraphWeight query, long hidden)
    {
        foreach (OnnxNode node in After(query.Node, node => node.Op is "Reshape"))
        {
            if (node.Op != "Reshape" || node.Inputs.Count < 2 || LastExtents(node.Inputs[1]) is not (var heads, var size)) continue;
            if (size > 0 && hidden % size == 0 && (heads == -1 || heads * size == hidden)) return (int)(hidden / size);
            if (heads > 0 && size == -1 && hidden % heads == 0) return (int)heads;
        }

        return null;
    }

    private (long Heads, long Size)? LastExtents(string shape)
    {
        if (uses.Constant(shape)?.Tensor.Integers() is [_, _, var heads, var size]) return (heads, size);
        if (uses.Producer(shape) is not { Op: "Concat", Inputs.Count: 4 } parts) return null;
        return One(parts.Inputs[2]) is { } h && One(parts.Inputs[3]) is { } s ? (h, s) : null;
        long? One(string part) => uses.Constant(part)?.Tensor.Integers() is [var extent] ? extent : uses.Producer(part) is { Op: "Unsqueeze" } node ? (long?)uses.Scalar(node.Inputs[0]) : null;
    }

    private string ActivationAfter(GraphWeight intermediate)
    {
        OnnxNode[] nodes = [.. After(intermediate.Node, node => node.Op is "MatMul" or "Gemm")];
        bool Has(string op) => Array.Exists(nodes, node => node.Op == op);
        bool HasConstant(double value) => Array.Exists(nodes, node => node.Inputs.Any(input => uses.Scalar(input) is { } scalar && Math.Abs(scalar - value) < 1e-3 * value));
        if (Array.Find(nodes, node => node.Op == "Gelu") is { } gelu) return gelu.Attributes.GetValueOrDefault("approximate")?.Text == "tanh" ? "gelu_new" : "gelu";
        if (Has("Erf")) return "gelu";
        if (Has("Softplus")) return "mish";
        if (Has("Tanh")) return HasConstant(0.044715) ? "gelu_new" : "tanh";
        if (Has("Sigmoid")) return HasConstant(1.702) ? "quick_gelu" : "silu";
        if (Has("Relu")) return "relu";
        throw Error("the activation of the feed-forward is not known; --config was expected");
    }

    private double NormEpsilon()
    {
        foreach (OnnxNode node in uses.Graph.Nodes)
        {
            if (node.Op == "LayerNormalization") return Short(node.Attributes.TryGetValue("epsilon", out OnnxAttribute? epsilon) ? epsilon.Float : 1e-5);
            if (node.Op == "Sqrt" && node.Inputs.Count > 0 && uses.Producer(node.Inputs[0]) is { Op: "Add" } sum && sum.Inputs.Select(uses.Scalar).FirstOrDefault(scalar => scalar is not null) is { } added) return Short(added);
        }

        throw Error("no layer norm was found in the graph; an encoder was expected");

        // 1e-12 is in the graph as the nearest float32.
        static double Short(double value) => double.Parse(((float)value).ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>The nodes that use what one makes, and so on as far as those that end the search, which are among them.</summary>
    private List<OnnxNode> After(OnnxNode? start, Func<OnnxNode, bool> ends) => Reach(start, node => node.Outputs.SelectMany(uses.Consumers), ends);

    /// <summary>The nodes that make what one uses.</summary>
    private List<OnnxNode> Before(OnnxNode start) => Reach(start, node => node.Inputs.Select(uses.Producer).OfType<OnnxNode>(), _ => false);

    private static List<OnnxNode> Reach(OnnxNode? start, Func<OnnxNode, IEnumerable<OnnxNode>> neighbours, Func<OnnxNode, bool> ends)
    {
        const int Most = 64;
        var seen = new HashSet<OnnxNode>(ReferenceEqualityComparer.Instance);
        var nodes = new List<OnnxNode>();
        var open = new Queue<OnnxNode>(start is null ? [] : [start]);
        while (open.Count > 0 && nodes.Count < Most)
        {
            foreach (OnnxNode next in neighbours(open.Dequeue()).Where(seen.Add))
            {
                nodes.Add(next);
                if (!ends(next)) open.Enqueue(next);
            }
        }

        return nodes;
    }
}
