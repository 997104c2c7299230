using LoRA2.Native.Encoders;

namespace LoRA2.Native.Adapters;

/// <summary>What the implementations that this one is compared with call a parameter, in files of gradients.</summary>
public static class GradientName
{
    /// <summary>
    /// HuggingFace's name for a model's own parameter; for LoRA the name a parameter has inside PEFT's wrapped model
    /// (base_model.model.….lora_A.default.weight, ….modules_to_save.default.…), and so for AdaLoRA (without .weight); for LoRA2 module.u, module.v, …
    /// </summary>
    /// <param name="parameter">The parameter's name here.</param>
    /// <param name="method">The method that trains it, or null without an adapter.</param>
    /// <param name="head">The model's head, whose modules PEFT saves whole.</param>
    public static string Of(string parameter, AdapterMethod? method, EncoderHead head)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        ArgumentNullException.ThrowIfNull(head);
        if (method?.PeftType is not ("LORA" or "ADALORA")) return parameter;
        HeadModule? saved = head.Modules.FirstOrDefault(module => parameter.StartsWith(module.Path + ".", StringComparison.Ordinal));
        if (saved is not null) return $"{PeftModules.Prefix}{saved.Path}.modules_to_save.default{parameter[saved.Path.Length..]}";
        return $"{PeftModules.Prefix}{parameter}.default{(method.PeftType == "LORA" ? ".weight" : "")}";
    }
}
