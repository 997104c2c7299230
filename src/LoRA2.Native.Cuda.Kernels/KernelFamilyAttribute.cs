namespace LoRA2.Native.Cuda.Kernels;

/// <summary>Marks a class whose public static methods are kernels; they are compiled to one file of the class's name.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class KernelFamilyAttribute : Attribute;
