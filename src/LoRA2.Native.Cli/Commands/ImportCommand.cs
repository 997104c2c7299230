using System.CommandLine;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Onnx;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 import</c>: an encoder in an ONNX file to a HuggingFace folder.</summary>
internal static class ImportCommand
{
    private static readonly Dictionary<string, DType> Types = new() { ["float32"] = DType.Float32, ["float16"] = DType.Float16, ["bfloat16"] = DType.BFloat16 };

    public static Command Create(StandardStreams streams)
    {
        var model = new Argument<string>("model") { Description = "an .onnx file as PyTorch's exporter or Optimum writes it" };
        var vocabulary = new Option<string?>("--vocab") { Description = "vocab.txt, tokenizer.json, or a folder with a tokenizer [what lies beside the model]", HelpName = "FILE" };
        var config = new Option<string?>("--config") { Description = "config.json [what lies beside the model, else what the graph shows]", HelpName = "FILE" };
        Option<int?> heads = NumberOption.Int("--heads", "attention heads, where the graph doesn't show them and there is no config", 1);
        var output = new Option<string>("--output") { Description = "where the model's folder goes", HelpName = "DIR", Required = true };
        var dtype = new Option<string?>("--dtype") { Description = "element type of the weights [the file's]", HelpName = string.Join('|', Types.Keys) };
        var overwrite = new Option<bool>("--overwrite") { Description = "replace the model that is there" };
        var command = new ExampleCommand(
            "import",
            "Turns an encoder in an ONNX file into a HuggingFace folder, which every other command and transformers open.",
            "lora2 import model.onnx --vocab vocab.txt --output minilm",
            "lora2 import all-MiniLM-L6-v2/onnx/model.onnx --output minilm --dtype float16")
        {
            model, vocabulary, config, heads, output, dtype, overwrite,
        };
        command.SetAction(parsed =>
        {
            string? name = parsed.GetValue(dtype);
            if (name is not null && !Types.ContainsKey(name)) throw new InputException($"option --dtype is '{name}'; {string.Join(", ", Types.Keys)} can be");
            string file = parsed.GetValue(model)!, folder = parsed.GetValue(output)!;
            if (Path.GetFullPath(folder) == Path.GetDirectoryName(Path.GetFullPath(file))) throw new InputException($"--output '{folder}' is a folder that is read from; choose another");
            OutputFolder.RequireFree(folder, parsed.GetValue(overwrite));
            OnnxImportResult result = OnnxImport.Import(file, folder, new OnnxImportOptions
            {
                Vocabulary = parsed.GetValue(vocabulary),
                Config = parsed.GetValue(config),
                Heads = parsed.GetValue(heads),
                DType = name is null ? null : Types[name],
            });
            EncoderConfig encoder = result.Config;
            streams.Output.WriteLine($"model      {encoder.Title}, {encoder.Layers} layers of {encoder.HiddenSize}, {encoder.Heads} heads, {result.Parameters:N0} parameters in {result.Tensors} tensors");
            streams.Output.WriteLine($"config     {result.ConfigSource ?? "from the graph"}");
            streams.Output.WriteLine($"tokenizer  {result.Tokenizer}");
            foreach (string weight in result.LeftOut) streams.Output.WriteLine($"left out   {weight}: belongs to no module that is known");
            streams.Output.WriteLine($"written    {folder}");
            return ExitCode.Done;
        });
        return command;
    }
}
