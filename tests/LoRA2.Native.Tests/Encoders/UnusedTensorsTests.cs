using System.Text.Json.Nodes;
using LoRA2.Native.Encoders;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Encoders;

/// <summary>What a model's files have, and the model has no use for, is counted and named; heads of other tasks and buffers are not.</summary>
public sealed class UnusedTensorsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Types => [.. ConfigText.Types];

    [Theory]
    [MemberData(nameof(Types))]
    public void AWholeModelHasNone(string type)
    {
        Write(type);
        Assert.Empty(Warnings());
        Assert.Empty(Warnings(config => config with { Task = new EmbeddingsTask() }));
        Assert.Empty(Warnings(config => config with { Labels = 7, LabelNames = null }));
    }

    [Theory]
    [InlineData("bert", "num_hidden_layers")]
    [InlineData("deberta-v2", "num_hidden_layers")]
    [InlineData("distilbert", "n_layers")]
    public void LayersBeyondTheConfigsAreCounted(string type, string field)
    {
        Write(type);
        string config = folder.File("config.json");
        JsonObject json = JsonNode.Parse(File.ReadAllText(config))!.AsObject();
        json[field] = 1;
        File.WriteAllText(config, json.ToJsonString());
        string warning = Assert.Single(Warnings());
        Assert.StartsWith($"{folder.File("model.safetensors")}: 16 tensors are not used by the ", warning, StringComparison.Ordinal);
        Assert.Contains(" with 1 layer that config.json describes: \"", warning, StringComparison.Ordinal);
        Assert.Contains("layer.1.", warning, StringComparison.Ordinal);
        Assert.EndsWith(", …", warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bert.encoder.layer.0.attention.self.query.lora_A.weight")]
    [InlineData("bert.embeddings.word_embeddings.weight_scale")]
    [InlineData("encoder.layer.0.adapter.down.weight")]
    [InlineData("projection.weight")]
    public void ATensorThatNoFamilyKnowsIsNamed(string name)
    {
        Write("bert", name);
        Assert.Equal($"{folder.File("model.safetensors")}: 1 tensor is not used by the BERT with 2 layers that config.json describes: \"{name}\"", Assert.Single(Warnings()));
    }

    [Theory]
    [InlineData("bert.embeddings.position_ids")]
    [InlineData("embeddings.position_ids")]
    [InlineData("module.bert.embeddings.token_type_ids")]
    [InlineData("cls.predictions.decoder.weight")]
    [InlineData("cls.seq_relationship.bias")]
    [InlineData("qa_outputs.weight")]
    [InlineData("lm_head.bias")]
    public void WhatOtherTasksHaveIsNothingToSay(string name)
    {
        Write("bert", name);
        Assert.Empty(Warnings());
    }

    /// <summary>id2label counts, as in HuggingFace's pipelines; what says otherwise may be what the user has read.</summary>
    [Theory]
    [InlineData("label2id", """{"no": 1, "yes": 0, "maybe": 2}""", "label2id says 1 for \"no\", id2label 0; id2label counts")]
    [InlineData("num_labels", "5", "num_labels is 5, and id2label names 3; id2label counts")]
    [InlineData("label2id", """{"no": 0}""", null)]
    [InlineData("label2id", """{"LABEL_0": 0, "LABEL_1": 1}""", null)]
    [InlineData("num_labels", "3", null)]
    public void AConfigThatContradictsItselfIsSaidToDoSo(string field, string value, string? expected)
    {
        Write("bert");
        File.WriteAllText(folder.File("config.json"), ConfigText.With("bert", field, value).ToJsonString());
        Assert.Equal(expected is null ? [] : [$"{folder.File("config.json")}: {expected}"], Warnings());
    }

    private void Write(string type, string? more = null)
    {
        File.WriteAllText(folder.File("config.json"), ConfigText.Of(type).ToJsonString());
        using SequenceClassifier made = SequenceClassifier.Create(EncoderConfigReader.FromFolder(folder.Path), 3);
        ModelFolder.Save(made, folder.Path, folder.Path);
        if (more is null) return;
        var writer = new SafetensorsWriter();
        using (SafetensorsFile file = SafetensorsFile.Open(folder.File("model.safetensors")))
        {
            foreach (SafetensorsEntry entry in file.Entries) writer.Add(entry.Name, entry.Type, entry.Shape, file.GetBytes(entry).ToArray());
        }

        writer.Add(more, SafetensorsDType.F32, [1], new byte[4]);
        writer.Write(folder.File("model.safetensors"));
    }

    private IReadOnlyList<string> Warnings(Func<EncoderConfig, EncoderConfig>? configure = null)
    {
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder.Path, configure);
        return model.Warnings;
    }
}
