using System.Text.Json.Nodes;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Encoders;

public sealed class EncoderConfigReaderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public static TheoryData<string> Families => [.. ConfigText.Types];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public void ReadsWhatHuggingFaceWrites(string type)
    {
        EncoderConfig config = Read(ConfigText.Of(type));
        Assert.Equal(
            (50, 8, 2, 2, 16, 32), (config.VocabularySize, config.HiddenSize, config.Layers, config.Heads, config.IntermediateSize, config.MaxPositions));
        Assert.Equal(type, config.ModelType);
        Assert.Equal(["no", "yes", "maybe"], config.LabelNames!);
        Assert.Equal(3, config.Labels);
        Assert.Equal(TaskKinds.Classification, config.Kind);
        Assert.Equal(0.2, config.HiddenDropout);
        Assert.Equal(0.3, config.ClassifierDropout);
        Assert.Empty(config.UnknownFields);
    }

    [Theory]
    [InlineData("\"c2p|p2c\"", true, true)]
    [InlineData("[\"p2c\"]", false, true)]
    [InlineData("\"c2p\"", true, false)]
    [InlineData("[]", false, false)]
    [InlineData("null", false, false)]
    public void PositionTermsInEitherForm(string value, bool contentToPosition, bool positionToContent)
    {
        var config = (DebertaV2Config)Read(ConfigText.With("deberta-v2", "pos_att_type", value));
        Assert.Equal((contentToPosition, positionToContent), (config.ContentToPosition, config.PositionToContent));
    }

    [Theory]
    [InlineData("bert", "position_embedding_type", "\"rotary\"", "position_embedding_type 'rotary' is not supported; absolute, relative_key, relative_key_query can be")]
    [InlineData("roberta", "position_embedding_type", "\"relative_key_query\"", "position_embedding_type 'relative_key_query' is not supported; absolute can be")]
    [InlineData("bert", "embedding_size", "4", "embedding_size = 4 is not supported; only 8 is")]
    [InlineData("bert", "hidden_act", "\"selu\"", "hidden_act 'selu' is not supported; gelu, relu, tanh, silu, swish, gelu_new, gelu_pytorch_tanh, gelu_fast, quick_gelu, mish can be")]
    [InlineData("bert", "hidden_act", "7", "hidden_act is 7; a string was expected")]
    [InlineData("bert", "is_decoder", "true", "is_decoder = true is not supported; only false is")]
    [InlineData("bert", "is_decoder", "1", "is_decoder is 1; true or false was expected")]
    [InlineData("bert", "add_cross_attention", "true", "add_cross_attention = true is not supported; only false is")]
    [InlineData("roberta", "is_encoder_decoder", "true", "is_encoder_decoder = true is not supported; only false is")]
    [InlineData("bert", "pruned_heads", """{"0":[1]}""", "pruned_heads is not supported")]
    [InlineData("bert", "quantization_config", """{"bits":4}""", "quantization_config is not supported")]
    [InlineData("bert", "problem_type", "\"ordinal\"", "problem_type 'ordinal' is not supported; single_label_classification, regression, multi_label_classification are")]
    [InlineData("deberta-v2", "conv_kernel_size", "4", "conv_kernel_size 4 is even; an odd number of tokens was expected")]
    [InlineData("deberta-v2", "conv_groups", "3", "hidden_size 8 is not a multiple of conv_groups 3")]
    [InlineData("deberta-v2", "relative_attention", "false", "relative_attention = false is not supported; only true is")]
    [InlineData("deberta-v2", "pooler_hidden_size", "16", "pooler_hidden_size = 16 is not supported; only 8 is")]
    [InlineData("deberta-v2", "attention_head_size", "8", "attention_head_size = 8 is not supported; only 4 is")]
    [InlineData("deberta-v2", "pos_att_type", "\"p2p\"", "pos_att_type 'p2p' is not supported; c2p and p2c are")]
    [InlineData("deberta-v2", "pos_att_type", "[1]", "pos_att_type is [1]; strings was expected")]
    [InlineData("deberta-v2", "norm_rel_ebd", "\"batch_norm\"", "norm_rel_ebd 'batch_norm' is not supported; none, layer_norm can be")]
    [InlineData("deberta-v2", "pooler_hidden_act", "\"selu\"", "pooler_hidden_act 'selu' is not supported; gelu, relu, tanh, silu, swish, gelu_new, gelu_pytorch_tanh, gelu_fast, quick_gelu, mish can be")]
    [InlineData("deberta-v2", "position_buckets", "1", "position_buckets 1 can't divide 32 relative positions; at least 2 and less than twice the positions was expected")]
    [InlineData("deberta-v2", "max_relative_positions", "5", "position_buckets 8 can't divide 5 relative positions; at least 2 and less than twice the positions was expected")]
    [InlineData("bert", "model_type", "[]", "model_type is []; a string was expected")]
    public void RefusesWhatItCannotCompute(string type, string field, string value, string message)
    {
        var e = Assert.Throws<InputException>(() => Read(ConfigText.With(type, field, value)));
        Assert.Equal($"{folder.File("config.json")}: {message}", e.Message);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void MissingFields(string type)
    {
        string[][] sizes = [["vocab_size"], ["hidden_size", "dim"], ["num_hidden_layers", "n_layers"], ["num_attention_heads", "n_heads"], ["intermediate_size", "hidden_dim"]];
        foreach (string[] names in sizes)
        {
            JsonObject json = ConfigText.Of(type);
            string field = Assert.Single(names, json.ContainsKey);
            json.Remove(field);
            var e = Assert.Throws<InputException>(() => Read(json));
            Assert.Equal($"{folder.File("config.json")}: {field} is missing", e.Message);
        }
    }

    [Fact]
    public void AModelTypeThatNobodyReadsIsRefusedWithThoseThatAre()
    {
        string types = string.Join(", ", EncoderFamilies.All.SkipLast(1).Select(family => family.ModelType)), last = EncoderFamilies.All[^1].ModelType;
        Assert.EndsWith($"config.json: model_type 'gpt2' is not supported; {types} and {last} are", Assert.Throws<InputException>(() => Read(ConfigText.With("bert", "model_type", "\"gpt2\""))).Message);
        JsonObject json = ConfigText.Of("bert");
        json.Remove("model_type");
        Assert.EndsWith($"config.json: model_type is missing; {types} or {last} was expected", Assert.Throws<InputException>(() => Read(json)).Message);
    }

    [Theory]
    [InlineData("relative_attention", "relative_attention = false is not supported; only true is")]
    public void WhatDebertaTakesForAMissingFieldCounts(string field, string message)
    {
        JsonObject json = ConfigText.Of("deberta-v2");
        json.Remove(field);
        Assert.EndsWith(message, Assert.Throws<InputException>(() => Read(json)).Message);
    }

    [Theory]
    [InlineData("bert", "vocab_size", "\"50\"", "vocab_size is \"50\"; an integer of at least 1 was expected")]
    [InlineData("bert", "vocab_size", "0", "vocab_size is 0; an integer of at least 1 was expected")]
    [InlineData("bert", "hidden_size", "8.5", "hidden_size is 8.5; an integer of at least 1 was expected")]
    [InlineData("bert", "hidden_size", "7", "hidden_size 7 is not a multiple of num_attention_heads 2")]
    [InlineData("bert", "num_hidden_layers", "2000000000", "num_hidden_layers is 2000000000; an integer from 1 to 1000 was expected")]
    [InlineData("bert", "vocab_size", "2147483647", "vocab_size, 2147483647, times hidden_size 8 is 2^31 or more; less was expected")]
    [InlineData("bert", "vocab_size", "99999999999", "vocab_size is 99999999999; an integer of at least 1 was expected")]
    [InlineData("bert", "intermediate_size", "2147483647", "intermediate_size, 2147483647, times hidden_size 8 is 2^31 or more; less was expected")]
    [InlineData("deberta-v2", "max_position_embeddings", "2147483647", "max_position_embeddings, 2147483647, times hidden_size 8 is 2^31 or more; less was expected")]
    [InlineData("bert", "pad_token_id", "50", "pad_token_id 50 is outside vocab_size 50")]
    [InlineData("bert", "pad_token_id", "-1", "pad_token_id is -1; an integer of at least 0 was expected")]
    [InlineData("roberta", "pad_token_id", "31", "max_position_embeddings 32 leaves no position after pad_token_id 31; RoBERTa counts from there")]
    [InlineData("bert", "hidden_dropout_prob", "1", "hidden_dropout_prob is 1; a number from 0 to 0.999 was expected")]
    [InlineData("bert", "attention_probs_dropout_prob", "-0.1", "attention_probs_dropout_prob is -0.1; a number from 0 to 0.999 was expected")]
    [InlineData("bert", "layer_norm_eps", "true", "layer_norm_eps is true; a number from 0 to 1 was expected")]
    [InlineData("bert", "id2label", "[\"a\"]", "id2label is [\"a\"]; an object was expected")]
    [InlineData("bert", "id2label", "{}", "id2label is empty")]
    [InlineData("bert", "id2label", """{"0":"a","2":"b"}""", "id2label has the key '2'; 0 … 1, once each, was expected")]
    [InlineData("bert", "id2label", """{"0":"a","x":"b"}""", "id2label has the key 'x'; 0 … 1, once each, was expected")]
    [InlineData("bert", "id2label", """{"0":"a","1":"a"}""", "id2label has \"a\" for 0 and 1; a name for each class was expected")]
    [InlineData("bert", "id2label", """{"0":1,"1":"1"}""", "id2label has \"1\" for 0 and 1; a name for each class was expected")]
    [InlineData("bert", "id2label", """{"0":"a","1":""}""", "id2label has \"\" for 1; a class's name was expected")]
    [InlineData("bert", "id2label", """{"0":null,"1":"a"}""", "id2label has null for 0; a class's name was expected")]
    [InlineData("bert", "id2label", """{"0":["a"],"1":"b"}""", "id2label has \"[\"a\"]\" for 0; a class's name was expected")]
    public void WrongValues(string type, string field, string value, string message)
    {
        var e = Assert.Throws<InputException>(() => Read(ConfigText.With(type, field, value)));
        Assert.Equal($"{folder.File("config.json")}: {message}", e.Message);
    }

    [Fact]
    public void RegressionByOneLabelOrByName()
    {
        Assert.Equal(TaskKinds.Regression, Read(ConfigText.With("bert", "id2label", """{"0":"score"}""")).Kind);
        Assert.Equal(TaskKinds.Regression, Read(ConfigText.With("bert", "problem_type", "\"regression\"")).Kind);
        Assert.Equal(TaskKinds.Classification, Read(ConfigText.With("bert", "problem_type", "\"single_label_classification\"")).Kind);
        JsonObject json = ConfigText.Of("bert");
        json.Remove("id2label");
        Assert.Equal(2, Read(json).Labels);
    }

    [Fact]
    public void UnknownFieldsAreListed()
    {
        JsonObject json = ConfigText.Of("bert");
        json["rotary_base"] = 10000;
        json["transformers_version"] = "4.36.2";
        Assert.Equal(["rotary_base"], Read(json).UnknownFields);
    }

    [Theory]
    [InlineData("[]", "a JSON object was expected")]
    [InlineData("{\n\"model_type\":", "not valid JSON (line 2)")]
    [InlineData("", "not valid JSON (line 1)")]
    [InlineData("{\"model_type\": \"\\ud800\"}", "a string or name is not valid Unicode; JSON in UTF-8 was expected")]
    public void NotAConfig(string text, string message)
    {
        folder.Write("config.json", text);
        var e = Assert.Throws<InputException>(() => EncoderConfigReader.FromFolder(folder.Path));
        Assert.StartsWith($"{folder.File("config.json")}: {message}", e.Message);
    }

    [Fact]
    public void NoConfig()
    {
        var e = Assert.Throws<InputException>(() => EncoderConfigReader.FromFolder(folder.Path));
        Assert.Equal($"'{folder.File("config.json")}' does not exist; a model folder has a config.json as HuggingFace writes it", e.Message);
        e = Assert.Throws<InputException>(() => EncoderConfigReader.FromFolder(folder.File("none")));
        Assert.Equal($"model folder '{folder.File("none")}' does not exist", e.Message);
        Directory.CreateDirectory(folder.File("config.json"));
        e = Assert.Throws<InputException>(() => EncoderConfigReader.FromFolder(folder.Path));
        Assert.StartsWith($"{folder.File("config.json")}: the file can't be read", e.Message);
    }

    private EncoderConfig Read(JsonObject json)
    {
        folder.Write("config.json", json.ToJsonString());
        return EncoderConfigReader.FromFolder(folder.Path);
    }
}
