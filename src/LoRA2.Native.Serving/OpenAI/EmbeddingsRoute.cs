using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using LoRA2.Native.Hosting;
using LoRA2.Native.Inference;
using LoRA2.Native.Serving.Http;
using Microsoft.AspNetCore.Http;

namespace LoRA2.Native.Serving.OpenAI;

/// <summary>What OpenAI's clients ask for.</summary>
internal sealed record EmbeddingsRequest(JsonElement? Input, string? Model, string? EncodingFormat, int? Dimensions, string? User);

/// <summary>What they get.</summary>
internal sealed record EmbeddingsAnswer(string Object, EmbeddingEntry[] Data, string Model, Usage Usage);

/// <summary>One vector.</summary>
internal sealed record EmbeddingEntry(string Object, int Index, EmbeddingValue Embedding);

/// <summary>Tokens of a request.</summary>
internal sealed record Usage(long PromptTokens, long TotalTokens);

/// <summary>A vector as numbers, or as their bytes in base 64, little-endian.</summary>
[JsonConverter(typeof(EmbeddingValueConverter))]
internal readonly record struct EmbeddingValue(float[] Values, bool IsBase64);

/// <summary>Writes <see cref="EmbeddingValue"/>.</summary>
internal sealed class EmbeddingValueConverter : JsonConverter<EmbeddingValue>
{
    public override EmbeddingValue Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException("vectors are only written");

    public override void Write(Utf8JsonWriter writer, EmbeddingValue value, JsonSerializerOptions options)
    {
        if (value.IsBase64)
        {
            byte[] bytes = new byte[value.Values.Length * sizeof(float)];
            for (int i = 0; i < value.Values.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), value.Values[i]);
            writer.WriteBase64StringValue(bytes);
            return;
        }

        writer.WriteStartArray();
        foreach (float number in value.Values) writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }
}

/// <summary><c>POST /v1/embeddings</c>, as OpenAI has it.</summary>
internal static class EmbeddingsRoute
{
    public static async Task Answer(HttpContext context, ModelEndpoint endpoint)
    {
        EmbeddingsRequest request = await JsonBody.Read(context, ServerJson.Wire.EmbeddingsRequest);
        if (request.EncodingFormat is not (null or "float" or "base64")) throw TextInputs.Wrong($"`encoding_format` is '{Quoted(request.EncodingFormat)}'; float or base64 was expected");
        TextInputs input = TextInputs.Of(request.Input, "input");
        endpoint.RequireTexts(input.Count, "input");
        // As Text Embeddings Inference does, and OpenAI's own models: vectors have the length 1.
        var asked = new TextRequest { Adapter = endpoint.AdapterOf(null, request.Model), Dimensions = request.Dimensions, Normalises = true, Truncates = endpoint.Options.Truncates };
        IReadOnlyList<TextVector> vectors = input.Texts is { } texts
            ? await endpoint.Service.EmbedAsync(texts, asked, context.RequestAborted)
            : await endpoint.Service.EmbedAsync(input.Tokens!, asked, context.RequestAborted);
        long tokens = vectors.Sum(static vector => (long)vector.Tokens);
        ModelEndpoint.Count(context, tokens, vectors.Count(static vector => vector.IsCut));
        bool isBase64 = request.EncodingFormat == "base64";
        await JsonBody.Write(
            context,
            new EmbeddingsAnswer("list", [.. vectors.Select((vector, i) => new EmbeddingEntry("embedding", i, new EmbeddingValue(vector.Values, isBase64)))], request.Model ?? endpoint.Service.Name, new Usage(tokens, tokens)),
            ServerJson.Wire.EmbeddingsAnswer);
    }

    private static string Quoted(string text) => Files.Quote.Plain(text);
}
