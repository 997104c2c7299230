using System.Text;
using System.Text.Json;
using LoRA2.Native.Serving.Http;
using LoRA2.Native.Tokenizers;
using Microsoft.AspNetCore.Http;

namespace LoRA2.Native.Serving.Inference;

/// <summary>What is to be tokenized.</summary>
internal sealed record TokenizeRequest(JsonElement? Inputs, bool? AddSpecialTokens, string? Adapter, string? Model);

/// <summary>A token, and where it is in the text: bytes of UTF-8.</summary>
internal sealed record TokenEntry(int Id, string Text, bool Special, int? Start, int? Stop);

/// <summary><c>POST /tokenize</c>, as Text Embeddings Inference has it. Nothing is cut.</summary>
internal static class TokenizeRoute
{
    public static async Task Answer(HttpContext context, ModelEndpoint endpoint)
    {
        TokenizeRequest request = await JsonBody.Read(context, ServerJson.Wire.TokenizeRequest);
        string[] texts = TextInputs.Of(request.Inputs, "inputs").Texts ?? throw TextInputs.Wrong("`inputs` has tokens already; strings were expected");
        endpoint.RequireTexts(texts.Length, "inputs");
        string? adapter = endpoint.AdapterOf(request.Adapter, request.Model);
        bool withSpecial = request.AddSpecialTokens ?? true;
        TokenEntry[][] tokens = await Task.Run(() => texts.Select(text => Tokens(endpoint.Service.Tokenize(text, null, adapter), text, withSpecial)).ToArray(), context.RequestAborted);
        await JsonBody.Write(context, tokens, ServerJson.Wire.TokenEntryArrayArray);
    }

    private static TokenEntry[] Tokens(PlacedInput placed, string text, bool withSpecial)
    {
        var tokens = new List<TokenEntry>(placed.Ids.Length);
        // Places are counted in UTF-16; tokens come in the order of their beginnings, as a rule.
        int character = 0, bytes = 0;
        int BytesBefore(int place)
        {
            if (place < character) (character, bytes) = (0, 0);
            bytes += Encoding.UTF8.GetByteCount(text.AsSpan(character, place - character));
            character = place;
            return bytes;
        }

        for (int i = 0; i < placed.Ids.Length; i++)
        {
            TokenPlace place = placed.Places[i];
            if (!place.IsSpecial) tokens.Add(new TokenEntry(placed.Ids[i], text[place.Start..place.End], false, BytesBefore(place.Start), BytesBefore(place.End)));
            else if (withSpecial) tokens.Add(new TokenEntry(placed.Ids[i], placed.Tokens[i], true, null, null));
        }

        return [.. tokens];
    }
}
