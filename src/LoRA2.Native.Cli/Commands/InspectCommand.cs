using System.CommandLine;
using LoRA2.Native.Adapters;
using LoRA2.Native.Cli.Inspection;
using LoRA2.Native.Cli.Text;
using LoRA2.Native.Experiments;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 inspect</c>: what is in a file or folder.</summary>
internal static class InspectCommand
{
    public static Command Create(StandardStreams streams)
    {
        var path = new Argument<string>("path") { Description = "a safetensors file, a model folder or an adapter folder" };
        var json = new Option<bool>("--json") { Description = "one JSON object on standard output" };
        var command = new ExampleCommand(
            "inspect",
            "Lists tensors with type, shape and number of parameters; for an adapter also its method and the rank each matrix uses.",
            "lora2 inspect lora2-out",
            "lora2 inspect deberta-v3-base/model.safetensors --json")
        {
            path, json,
        };
        command.SetAction(parsed =>
        {
            Inspected found = Inspected.Read(parsed.GetValue(path)!);
            if (parsed.GetValue(json)) WriteJson(found, streams);
            else WriteTables(found, streams.Output);
            return ExitCode.Done;
        });
        return command;
    }

    private static void WriteTables(Inspected found, TextWriter output)
    {
        if (found.Adapter is { } adapter)
        {
            output.WriteLine($"{adapter.Method.Description}; base model {found.BaseModel ?? "not named"}");
            if (adapter.UnknownFields.Count > 0) output.WriteLine($"unknown in adapter_config.json, ignored: {string.Join(", ", adapter.UnknownFields)}");
        }

        int width = Math.Max(6, found.Tensors.Select(tensor => tensor.Name.Length).DefaultIfEmpty().Max());
        foreach (InspectedTensor tensor in found.Tensors)
            output.WriteLine($"{Printable(tensor.Name).PadRight(width)}  {tensor.DType,-8} {$"[{string.Join(", ", tensor.Shape)}]",-16} {tensor.Elements,14:N0}");
        output.WriteLine($"{found.Tensors.Count:N0} tensors, {found.Parameters:N0} parameters, {found.Bytes:N0} bytes");
        if (found.Ranks.Count == 0) return;
        output.WriteLine();
        width = found.Ranks.Max(rank => rank.Module.Length);
        foreach (MatrixRank rank in found.Ranks)
        {
            output.WriteLine($"{Printable(rank.Module).PadRight(width)}  rank {rank.Effective} of {rank.Rank}");
        }

        output.WriteLine($"adapter {found.AdapterParameters:N0} + head {found.Parameters - found.AdapterParameters:N0} parameters; {found.Ranks.Sum(rank => rank.Effective):N0} of {found.Ranks.Sum(rank => rank.Rank):N0} ranks in use");
    }

    private static void WriteJson(Inspected found, StandardStreams streams)
    {
        using var output = new JsonLineWriter(streams.OutputBytes);
        output.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("path", found.Path);
            json.WriteString("kind", found.Kind);
            json.WriteNumber("parameters", found.Parameters);
            json.WriteNumber("bytes", found.Bytes);
            if (found.Adapter is { } adapter)
            {
                json.WriteString("method", adapter.Method.Name);
                foreach (MethodOption option in adapter.Method.Options) option.Write(json, adapter.Method);
                json.WriteString("base_model", found.BaseModel);
            }

            if (found.Ranks.Count > 0)
            {
                json.WriteNumber("adapter_parameters", found.AdapterParameters);
                json.WriteNumber("head_parameters", found.Parameters - found.AdapterParameters);
                json.WriteStartObject("effective_ranks");
                foreach (MatrixRank rank in found.Ranks) json.WriteNumber(rank.Module, rank.Effective);
                json.WriteEndObject();
            }

            json.WriteStartArray("tensors");
            foreach (InspectedTensor tensor in found.Tensors)
            {
                json.WriteStartObject();
                json.WriteString("name", tensor.Name);
                json.WriteString("dtype", tensor.DType);
                json.WriteStartArray("shape");
                foreach (long extent in tensor.Shape) json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteNumber("parameters", tensor.Elements);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>A hostile name must not steer the terminal.</summary>
    private static string Printable(string name) => string.Concat(name.Select(c => char.IsControl(c) ? '?' : c));
}
