using System.CommandLine;
using LoRA2.Native.Adapters;
using LoRA2.Native.Cli.Tracing;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Serialization;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 trace</c>: everything a model computes on one batch, for comparison with another implementation.</summary>
internal static class TraceCommand
{
    public static Command Create(StandardStreams streams)
    {
        var model = new Option<string>("--model") { Description = "HuggingFace model folder", HelpName = "DIR", Required = true };
        var inputs = new Option<string>("--inputs")
        {
            Description = "batch: input_ids [batch, length], and if wanted attention_mask, token_type_ids and labels [batch]",
            HelpName = "FILE.safetensors",
            Required = true,
        };
        var output = new Option<string>("--output") { Description = "where outputs.safetensors and grads.safetensors go", HelpName = "DIR", Required = true };
        var adapter = new Option<string?>("--adapter") { Description = "adapter folder", HelpName = "DIR" };
        var gradients = new Option<bool>("--gradients") { Description = "also write the gradient of the loss by every parameter, or by the adapter's and head's" };
        Option<string?> device = DeviceOption.Create(), precision = PrecisionOption.Create();
        var command = new ExampleCommand(
            "trace",
            "Runs a model on one batch without dropout and writes logits, loss, hidden states and attention probabilities, and gradients when asked.",
            "lora2 trace --model roberta-base --inputs batch.safetensors --output trace --gradients",
            "lora2 trace --model deberta-v3-base --adapter lora2-out --inputs batch.safetensors --output trace")
        {
            model, inputs, output, adapter, gradients, device, precision,
        };
        command.SetAction(parsed =>
        {
            string folder = parsed.GetValue(output)!;
            if (File.Exists(folder)) throw new InputException($"--output '{folder}' is a file; a folder was expected");
            return DeviceOption.Use(parsed.GetValue(device), streams.Error, chosen =>
            {
                LoadedModel loaded = LoadedModel.Load(ModelLocation.Named(parsed.GetValue(model))!, parsed.GetValue(adapter), PrecisionOption.Parse(parsed.GetValue(precision)));
                using SequenceClassifier classifier = loaded.Model;
                classifier.MoveTo(chosen.Device);
                AdapterWarnings.Write(streams.Error, loaded.Adapter, parsed.GetValue(adapter), loaded.Model, strict: false);
                Run(classifier, parsed.GetValue(inputs)!, folder, parsed.GetValue(gradients), loaded.Adapter);
                streams.Output.WriteLine($"written to {folder}");
                return ExitCode.Done;
            });
        });
        return command;
    }

    private static void Run(SequenceClassifier model, string inputs, string folder, bool gradients, AdapterSettings? adapter)
    {
        using var scope = new TensorScope();
        TraceInputs batch = TraceInputs.Read(inputs, model.Config);
        if (gradients && batch.Labels is null) throw new InputException($"{inputs}: --gradients needs a tensor 'labels'");
        if (gradients && adapter is null) model.TrainAll();
        var context = new ForwardContext { HiddenStates = [], Attentions = [] };
        using Tape? tape = gradients ? new Tape() : null;
        Tensor logits = model.Forward(batch.Batch, context);
        Tensor? loss = batch.Labels is null ? null : model.Loss(logits, batch.Labels);
        SafetensorsWriter outputs = Outputs(model, logits, loss, context);
        SafetensorsWriter? grads = null;
        if (tape is { } recorded)
        {
            recorded.Backward(loss!);
            grads = Gradients(model, adapter?.Method);
        }

        OutputPlace.Make(folder);
        outputs.Write(Path.Combine(folder, "outputs.safetensors"));
        grads?.Write(Path.Combine(folder, "grads.safetensors"));
    }

    private static SafetensorsWriter Outputs(SequenceClassifier model, Tensor logits, Tensor? loss, ForwardContext context)
    {
        var writer = new SafetensorsWriter();
        bool drops = loss is not null && model.Config is { DropsAxisOfRegression: true, Labels: 1 };
        writer.Add("logits", drops ? Ops.Reshape(logits, logits.Count) : logits);
        if (loss is not null) writer.Add("loss", Ops.Reshape(loss, 1));
        for (int i = 0; i < context.HiddenStates!.Count; i++) writer.Add($"hidden_states.{i}", context.HiddenStates[i]);
        for (int i = 0; i < context.Attentions!.Count; i++) writer.Add($"attentions.{i}", context.Attentions[i]);
        return writer;
    }

    private static SafetensorsWriter Gradients(SequenceClassifier model, AdapterMethod? method)
    {
        var writer = new SafetensorsWriter();
        foreach (Parameter parameter in model.Parameters)
        {
            if (!parameter.IsTrainable) continue;
            Tensor gradient = parameter.Value.Grad ?? Tensor.Zeros(parameter.Value.Shape);
            writer.Add(GradientName.Of(parameter.Name, method, model.Head), gradient);
        }

        return writer;
    }
}
