namespace LoRA2.Native.Cuda.Kernels;

/// <summary>Marks the parameter that is a dropout mask's stream, which is another one in every pass of a recorded program.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class DropoutStreamAttribute : Attribute;
