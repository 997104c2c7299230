using System.CommandLine;
using System.Text.Json;
using LoRA2.Native.Cli.Text;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 tokenize</c>: texts to token ids.</summary>
internal static class TokenizeCommand
{
    public static Command Create(StandardStreams streams)
    {
        var model = new Option<string>("--model") { Description = "folder with a tokenizer's files; a model is not needed", HelpName = "DIR", Required = true };
        var jsonLines = new Option<bool>("--json-lines") { Description = "each line of the input is a JSON string" };
        var noSpecial = new Option<bool>("--no-special-tokens") { Description = "leave out the tokens around the text ([CLS], <s>, …)" };
        var command = new ExampleCommand(
            "tokenize",
            "Reads a text a line from standard input and writes {\"ids\": […], \"tokens\": […]} a line.",
            "echo 'Hello, world!' | lora2 tokenize --model deberta-v3-base",
            "lora2 tokenize --model deberta-v3-base --json-lines --no-special-tokens < texts.jsonl")
        {
            model, jsonLines, noSpecial,
        };
        command.SetAction(parsed =>
        {
            Run(Tokenizer.FromFolder(parsed.GetValue(model)!), parsed.GetValue(jsonLines), !parsed.GetValue(noSpecial), streams);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Run(Tokenizer tokenizer, bool jsonLines, bool special, StandardStreams streams)
    {
        var lines = new LineReader(streams.Input, "standard input");
        using var output = new JsonLineWriter(streams.OutputBytes);
        while (lines.TryRead(out ReadOnlySpan<byte> line))
        {
            string text = jsonLines ? JsonLine.String(lines, line) : lines.Decode(line);
            TokenizedText tokens = tokenizer.EncodeWithTokens(text, special);
            output.Write(json => Write(json, tokens));
            if (streams.IsInputTerminal) output.Flush();
        }
    }

    private static void Write(Utf8JsonWriter json, TokenizedText text)
    {
        json.WriteStartObject();
        json.WriteStartArray("ids");
        foreach (int id in text.Ids) json.WriteNumberValue(id);
        json.WriteEndArray();
        json.WriteStartArray("tokens");
        foreach (string token in text.Tokens) json.WriteStringValue(token);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
