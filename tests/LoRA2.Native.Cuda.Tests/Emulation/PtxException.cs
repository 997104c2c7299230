namespace LoRA2.Native.Cuda.Tests.Emulation;

/// <summary>An error of a PTX text, or of a kernel's execution: out of bounds, a race, a barrier that not all threads reach.</summary>
public sealed class PtxException(string message) : Exception(message);
