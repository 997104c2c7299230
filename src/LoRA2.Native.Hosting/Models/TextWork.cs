namespace LoRA2.Native.Hosting.Models;

/// <summary>What is asked of a model.</summary>
internal enum TextWork
{
    /// <summary>The head's answer.</summary>
    Predict,

    /// <summary>The text's vector.</summary>
    Embed,
}
