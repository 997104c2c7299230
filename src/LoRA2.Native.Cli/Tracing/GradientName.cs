using LoRA2.Native.Adapters;

namespace LoRA2.Native.Cli.Tracing;

/// <summary>What the golden folders call a parameter's gradient.</summary>
internal static class GradientName
{
    /// <summary>
    /// HuggingFace's name for a model's own parameter; for LoRA the name a parameter has inside PEFT's wrapped model
    /// (base_model.model.….lora_A.default.weight, ….modules_to_save.default.…), and so for AdaLoRA (without .weight); for LoRA2 module.u, module.v, …
    /// </summary>
    public static string Of(string parameter, AdapterMethod? method)
    {
        if (method?.PeftType is not ("LORA" or "ADALORA")) return parameter;
        const string Prefix = "base_model.model.";
        string weight = method.PeftType == "LORA" ? ".weight" : "";
        if (parameter.Contains(".lora_", StringComparison.Ordinal)) return $"{Prefix}{parameter}.default{weight}";
        string[] parts = parameter.Split('.');
        int module = parts is ["bert", "pooler", ..] ? 2 : 1;
        return $"{Prefix}{string.Join('.', parts[..module])}.modules_to_save.default.{string.Join('.', parts[module..])}";
    }
}
