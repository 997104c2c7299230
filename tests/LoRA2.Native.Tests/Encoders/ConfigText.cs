using System.Text.Json.Nodes;
using LoRA2.Native.Encoders;

namespace LoRA2.Native.Tests.Encoders;

/// <summary>Small configs of each family, as HuggingFace writes them.</summary>
internal static class ConfigText
{
    private const string Shape = """
        "vocab_size": 50, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 32,
        "hidden_act": "gelu", "hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.1, "layer_norm_eps": 1e-6, "initializer_range": 0.5,
        "id2label": {"0": "no", "2": "maybe", "1": "yes"}, "label2id": {"no": 0, "yes": 1, "maybe": 2}, "torch_dtype": "float32", "use_cache": true
        """;

    /// <summary>Every family's; a new family needs a text below.</summary>
    public static readonly string[] Types = [.. EncoderFamilies.All.Select(family => family.ModelType)];

    public static JsonObject Of(string type) => JsonNode.Parse(type switch
    {
        "bert" => $$"""{"model_type": "bert", "pad_token_id": 0, "type_vocab_size": 2, "classifier_dropout": 0.3, "position_embedding_type": "absolute", {{Shape}}}""",
        "roberta" => $$"""{"model_type": "roberta", "pad_token_id": 1, "type_vocab_size": 1, "classifier_dropout": 0.3, "bos_token_id": 0, {{Shape}}}""",
        "xlm-roberta" or "camembert" => $$"""{"model_type": "{{type}}", "pad_token_id": 1, "type_vocab_size": 1, "classifier_dropout": 0.3, "bos_token_id": 0, {{Shape}}}""",
        "electra" => $$"""
            {"model_type": "electra", "embedding_size": 4, "pad_token_id": 0, "type_vocab_size": 2, "classifier_dropout": 0.3, "position_embedding_type": "absolute",
             "summary_activation": "gelu", "summary_last_dropout": 0.1, "summary_type": "first", "summary_use_proj": true, {{Shape}}}
            """,
        "albert" => $$"""
            {"model_type": "albert", "embedding_size": 4, "num_hidden_groups": 1, "inner_group_num": 1, "pad_token_id": 0, "type_vocab_size": 2, "classifier_dropout_prob": 0.3,
             "down_scale_factor": 1, "gap_size": 0, "net_structure_type": 0, "num_memory_blocks": 0, "position_embedding_type": "absolute", {{Shape}}}
            """,
        "mpnet" => $$"""{"model_type": "mpnet", "pad_token_id": 1, "relative_attention_num_buckets": 32, "classifier_dropout": 0.3, "bos_token_id": 0, {{Shape}}}""",
        "modernbert" => """
            {"model_type": "modernbert", "pad_token_id": 0, "vocab_size": 50, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 32,
             "hidden_activation": "gelu", "mlp_dropout": 0.2, "attention_dropout": 0.1, "embedding_dropout": 0.1, "classifier_dropout": 0.3, "initializer_range": 0.5, "norm_eps": 1e-5,
             "norm_bias": false, "attention_bias": false, "mlp_bias": false, "classifier_bias": false, "classifier_activation": "gelu", "classifier_pooling": "mean", "local_attention": 4,
             "global_attn_every_n_layers": 3, "global_rope_theta": 160000.0, "local_rope_theta": 10000.0, "decoder_bias": true, "initializer_cutoff_factor": 2.0, "sparse_prediction": false,
             "id2label": {"0": "no", "2": "maybe", "1": "yes"}, "label2id": {"no": 0, "yes": 1, "maybe": 2}}
            """,
        "distilbert" => """
            {"model_type": "distilbert", "pad_token_id": 0, "vocab_size": 50, "dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 16, "max_position_embeddings": 32, "activation": "gelu",
             "dropout": 0.2, "attention_dropout": 0.1, "seq_classif_dropout": 0.3, "qa_dropout": 0.1, "sinusoidal_pos_embds": false, "tie_weights_": true, "initializer_range": 0.5,
             "id2label": {"0": "no", "2": "maybe", "1": "yes"}, "label2id": {"no": 0, "yes": 1, "maybe": 2}}
            """,
        "deberta-v2" => $$"""
            {"model_type": "deberta-v2", "pad_token_id": 0, "type_vocab_size": 0, "cls_dropout": 0.3, "relative_attention": true, "position_biased_input": false,
             "share_att_key": true, "pos_att_type": "p2c|c2p", "position_buckets": 8, "max_relative_positions": -1, "norm_rel_ebd": "layer_norm",
             "pooler_dropout": 0, "pooler_hidden_act": "gelu", "pooler_hidden_size": 8, {{Shape}}}
            """,
        _ => throw new ArgumentException($"there is no config of model_type '{type}' here; a family is tested by one", nameof(type)),
    })!.AsObject();

    /// <summary>The same with one field set to a JSON value.</summary>
    public static JsonObject With(string type, string field, string value)
    {
        JsonObject json = Of(type);
        json[field] = JsonNode.Parse(value);
        return json;
    }
}
