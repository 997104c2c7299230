using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoRA2.Native.Peers.Torch;

/// <summary>Compares logits, losses and every gradient with HuggingFace's and PEFT's traces: a peer that computes something else is no yardstick.</summary>
internal static class GoldenCheck
{
    private static readonly string[] Traces = ["deberta_v3_tiny", "deberta_v3_tiny_logbucket", "roberta_tiny", "bert_tiny", "lora_deberta_v3_tiny", "lora_roberta_tiny"];

    public static bool Run(string golden)
    {
        set_num_threads(2);
        bool right = true;
        foreach (string name in Traces)
        {
            string folder = Path.Combine(golden, name), model = Path.Combine(golden, name.Replace("lora_", "", StringComparison.Ordinal));
            bool adapted = model != folder;
            Weights weights = Weights.FromFile(Path.Combine(model, "model.safetensors"));
            if (adapted) weights.Attach(4, Weights.Read(Path.Combine(folder, "adapter_model.safetensors")));
            Dictionary<string, Tensor> inputs = Weights.Read(Path.Combine(model, "inputs.safetensors")), outputs = Weights.Read(Path.Combine(folder, "outputs.safetensors"));
            Dictionary<string, Tensor> gradients = Weights.Read(Path.Combine(folder, "grads.safetensors"));
            (Tensor? loss, Tensor logits) = new Encoder(EncoderShape.FromFolder(model), weights).Forward(
                inputs["input_ids"], inputs["attention_mask"], inputs["labels"], inputs.GetValueOrDefault("token_type_ids"));
            loss!.backward();
            double values = Math.Max(Gap(logits, outputs["logits"]), Gap(loss, outputs["loss"])), worst = 0;
            int compared = 0;
            foreach ((string parameter, Parameter value) in weights.Trainable)
            {
                if (!gradients.TryGetValue(adapted ? Saved(parameter) : parameter, out Tensor? gradient)) continue;
                worst = Math.Max(worst, Gap(value.grad!, gradient) / Math.Max(1e-2, gradient.abs().max().item<float>()));
                compared++;
            }

            bool agrees = values < 5e-6 && worst < 1e-5 && compared == gradients.Count;
            right &= agrees;
            Console.WriteLine($"{name}: outputs within {values:e1}, {compared} of {gradients.Count} gradients within {worst:e1} of their largest: {(agrees ? "agrees" : "DISAGREES")}");
        }

        return right;
    }

    private static string Saved(string parameter) => parameter.StartsWith("classifier.", StringComparison.Ordinal)
        ? "base_model.model.classifier.modules_to_save.default." + parameter["classifier.".Length..]
        : "base_model.model." + parameter.Replace(".lora_A", ".lora_A.default.weight", StringComparison.Ordinal).Replace(".lora_B", ".lora_B.default.weight", StringComparison.Ordinal);

    private static double Gap(Tensor a, Tensor b) => (a.reshape(b.shape) - b).abs().max().item<float>();
}
