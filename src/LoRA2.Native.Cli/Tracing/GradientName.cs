using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;

namespace LoRA2.Native.Cli.Tracing;

/// <summary>What the golden folders call a parameter's gradient.</summary>
internal static class GradientName
{
    /// <summary>
    /// HuggingFace's name for a model's own parameter; for LoRA the name a parameter has inside PEFT's wrapped model
    /// (base_model.model.….lora_A.default.weight, ….modules_to_save.default.…), and so for AdaLoRA (without .weight); for LoRA2 module.u, module.v, …
    /// </summary>
    public static string Of(string parameter, AdapterMethod? method, EncoderHead head)
    {
        if (method?.PeftType is not ("LORA" or "ADALORA")) return parameter;
        const string Prefix = "base_model.model.";
        HeadModule? saved = head.Modules.FirstOrDefault(module => parameter.StartsWith(module.Path + ".", StringComparison.Ordinal));
        if (saved is not null) return $"{Prefix}{saved.Path}.modules_to_save.default{parameter[saved.Path.Length..]}";
        return $"{Prefix}{parameter}.default{(method.PeftType == "LORA" ? ".weight" : "")}";
    }
}
