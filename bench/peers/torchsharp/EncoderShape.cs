using System.Text.Json;

namespace LoRA2.Native.Peers.Torch;

/// <summary>What an encoder's weights do not say themselves.</summary>
internal sealed record EncoderShape(string Family, int Layers, int Hidden, int Intermediate, int Heads, int Vocabulary, int Pad, double Epsilon, int Buckets, int Reach)
{
    public bool IsDeberta => Family == "deberta";

    /// <summary>How HuggingFace's names of the encoder's parameters begin.</summary>
    public string Root => Family;

    public string[] Projections => IsDeberta ? ["query_proj", "key_proj", "value_proj"] : ["query", "key", "value"];

    public string HeadDense => Family switch { "deberta" => "pooler.dense", "roberta" => "classifier.dense", _ => "bert.pooler.dense" };

    public string HeadOut => Family == "roberta" ? "classifier.out_proj" : "classifier";

    public static EncoderShape FromFolder(string folder)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "config.json")));
        JsonElement config = json.RootElement;
        int reach = Int("max_relative_positions", -1);
        string family = config.GetProperty("model_type").GetString()!;
        return new(
            family == "deberta-v2" ? "deberta" : family, Int("num_hidden_layers"), Int("hidden_size"), Int("intermediate_size"), Int("num_attention_heads"), Int("vocab_size"),
            Int("pad_token_id"), config.GetProperty("layer_norm_eps").GetDouble(), Int("position_buckets"), reach < 1 ? Int("max_position_embeddings") : reach);

        int Int(string name, int otherwise = 0) => config.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : otherwise;
    }
}
