using System.CommandLine;
using LoRA2.Native.Cli.Distribution;
using LoRA2.Native.Cli.Embedding;
using LoRA2.Native.Cli.Text;
using LoRA2.Native.Data;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 embed</c>: texts to vectors.</summary>
internal static class EmbedCommand
{
    /// <summary>Texts that are read before they are computed, so that batches can be made of like lengths.</summary>
    private const int TextsAtOnce = 2048;

    public static Command Create(StandardStreams streams)
    {
        Option<string?> model = ModelLocation.ModelOption(), adapter = ModelLocation.AdapterOption();
        var file = new Option<string?>("--file") { Description = "texts, one a line [standard input]", HelpName = "FILE" };
        var output = new Option<string?>("--output") { Description = $"where the vectors go: {VectorOutput.Endings} [JSON lines on standard output]", HelpName = "FILE" };
        var jsonLines = new Option<bool>("--json-lines") { Description = "each line of the input is a JSON string or {\"text\": …}" };
        Option<string?> pooling = PoolingOption.Create("how the tokens become one vector [what the folder says, else mean]");
        var normalise = new Option<bool?>("--normalise") { Description = "whether vectors have the length 1 [what the folder says, else false]", HelpName = "true|false" };
        Option<int?> dimensions = NumberOption.Int("--dimensions", "dimensions that are kept, the first ones [all]", 1);
        var prompt = new Option<string?>("--prompt") { Description = "put before each text [the folder's default prompt, if any]", HelpName = "TEXT" };
        var promptName = new Option<string?>("--prompt-name") { Description = "put the folder's prompt of that name before each text", HelpName = "NAME" };
        Option<int?> batchSize = NumberOption.Int("--batch-size", "texts computed together [32]", 1);
        Option<int?> maxLength = MaxLengthOption.Create();
        Option<bool> strict = AdapterWarnings.StrictOption();
        Option<string?> device = DeviceOption.Create(), precision = PrecisionOption.Create();
        var command = new ExampleCommand(
            "embed",
            "Reads a text a line and writes its vector, as sentence-transformers computes it: pooling, normalisation, longest text and prompts are those of the folder.",
            "echo 'My parcel never arrived.' | lora2 embed --model all-MiniLM-L6-v2",
            "lora2 embed --model all-MiniLM-L6-v2 --file texts.txt --output vectors.npy",
            "mpirun -n 4 lora2 embed --model all-MiniLM-L6-v2 --file texts.txt --output vectors.npy")
        {
            model, adapter, file, output, jsonLines, pooling, normalise, dimensions, prompt, promptName, batchSize, maxLength, strict, device, precision,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(prompt) is not null && parsed.GetValue(promptName) is not null) throw new InputException("--prompt and --prompt-name say the same in two ways; give one");
            streams.Share();
            if (streams.Communicator is not null && (parsed.GetValue(file) is null || parsed.GetValue(output) is null)) throw new InputException("several processes need --file, the texts, and --output, where the vectors go");
            Func<Stream, int, VectorOutput>? create = parsed.GetValue(output) is { } path ? VectorOutput.For(path) : null;
            if (create is not null) OutputFile.Require(parsed.GetValue(output)!, parsed.GetValue(file), canStream: streams.Communicator is null && VectorOutput.CanStream(parsed.GetValue(output)!));
            ModelLocation location = ModelLocation.Find(parsed.GetValue(model), parsed.GetValue(adapter));
            using Stream input = parsed.GetValue(file) is { } texts ? TextFile.Open(texts) : streams.Input;
            var lines = new LineReader(input, parsed.GetValue(file) ?? "standard input");
            var options = new EmbedderOptions
            {
                Pooling = parsed.GetValue(pooling) is { } way ? PoolingNames.Named(way) : null,
                Normalises = parsed.GetValue(normalise),
                Dimensions = parsed.GetValue(dimensions),
                MaxLength = parsed.GetValue(maxLength),
                Precision = PrecisionOption.Parse(parsed.GetValue(precision)),
            };
            return DeviceOption.Use(parsed.GetValue(device), streams.Error, chosen =>
            {
                using TextEmbedder embedder = TextEmbedder.Load(location.Model, location.Adapter, options);
                embedder.Model.MoveTo(chosen.Device);
                Arithmetic.Note(streams.Error, parsed.GetValue(precision), chosen);
                AdapterWarnings.Write(streams.Error, embedder.Adapter, location.Adapter, embedder.Model, parsed.GetValue(strict));
                string? before = parsed.GetValue(promptName) is { } name ? PromptOf(embedder, name) : parsed.GetValue(prompt);
                if (streams.Communicator is { } several)
                {
                    string identity = SharedOutput.IdentityOf(parsed.GetValue(file)!, embedder.Model, location, parsed.Tokens.Select(token => token.Value));
                    using var shared = new SharedOutput(several, parsed.GetValue(output)!, identity);
                    int cuts = shared.Make(
                        parsed.GetValue(file)!, TextsAtOnce, (reader, line) => TextOf(reader, line, parsed.GetValue(jsonLines)),
                        (some, stream) => VectorShard.Write(embedder.Embed(some, before, parsed.GetValue(batchSize) ?? 32), stream),
                        (shards, stream) => VectorShard.Assemble(shards, embedder.Dimensions, create!(stream, embedder.Dimensions)));
                    CutNote.Write(streams.Error, cuts, embedder.MaxLength);
                    return ExitCode.Done;
                }

                // The input is read once.
                chosen.Settle();
                int count = streams.IsInputTerminal && parsed.GetValue(file) is null ? 1 : TextsAtOnce;
                int cut = 0;
                void Write(Stream stream)
                {
                    using VectorOutput vectors = create is null ? new JsonVectorOutput(stream) : create(stream, embedder.Dimensions);
                    foreach (List<string> texts in Chunks(lines, parsed.GetValue(jsonLines), count))
                    {
                        foreach (TextVector vector in embedder.Embed(texts, before, parsed.GetValue(batchSize) ?? 32, streams.Cancellation))
                        {
                            vectors.Write(vector);
                            if (vector.IsCut) cut++;
                        }

                        if (create is null) vectors.Finish();
                    }

                    vectors.Finish();
                }

                if (parsed.GetValue(output) is { } path) AtomicFile.WriteOrStream(path, Write);
                else Write(streams.OutputBytes);
                CutNote.Write(streams.Error, cut, embedder.MaxLength);
                return ExitCode.Done;
            });
        });
        return command;
    }

    private static string PromptOf(TextEmbedder embedder, string name) => embedder.Settings.Prompts.TryGetValue(name, out string? prompt)
        ? prompt
        : throw new InputException($"there is no prompt {Quote.Name(name)}; {(embedder.Settings.Prompts.Count == 0 ? "the model's folder has none" : $"there are {string.Join(", ", embedder.Settings.Prompts.Keys)}")}");

    private static IEnumerable<List<string>> Chunks(LineReader lines, bool jsonLines, int count)
    {
        var texts = new List<string>();
        while (TryRead(lines, jsonLines, out string text))
        {
            texts.Add(text);
            if (texts.Count < count) continue;
            yield return texts;
            texts = [];
        }

        if (texts.Count > 0) yield return texts;
    }

    private static bool TryRead(LineReader lines, bool jsonLines, out string text)
    {
        text = "";
        if (!lines.TryRead(out ReadOnlySpan<byte> line)) return false;
        text = TextOf(lines, line, jsonLines);
        return true;
    }

    private static string TextOf(LineReader lines, ReadOnlySpan<byte> line, bool jsonLines)
    {
        if (!jsonLines) return lines.Decode(line);
        Example example = JsonLine.Example(lines, line);
        return example.Pair is null ? example.Text : throw lines.Error("\"text_pair\" was found; a vector is of one text");
    }
}
