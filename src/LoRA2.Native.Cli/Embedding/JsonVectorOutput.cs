using LoRA2.Native.Cli.Text;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Cli.Embedding;

/// <summary>JSON lines: {"vector": […], "tokens": …, "cut": …}.</summary>
internal sealed class JsonVectorOutput(Stream stream) : VectorOutput
{
    private readonly JsonLineWriter lines = new(stream);

    public override void Write(TextVector vector) => lines.Write(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("vector");
        foreach (float value in vector.Values) json.WriteNumberValue(value);
        json.WriteEndArray();
        json.WriteNumber("tokens", vector.Tokens);
        json.WriteBoolean("cut", vector.IsCut);
        json.WriteEndObject();
    });

    public override void Finish() => lines.Flush();

    public override void Dispose()
    {
        lines.Dispose();
        base.Dispose();
    }
}
