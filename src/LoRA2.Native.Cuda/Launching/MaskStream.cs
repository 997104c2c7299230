namespace LoRA2.Native.Cuda.Launching;

/// <summary>The stream of a dropout mask's words, which has the pass's number in its lower half.</summary>
/// <param name="Value">The stream.</param>
/// <param name="Draws">Whether the mask drops anything: if not, the kernel takes no word, and the stream may be that of another pass.</param>
internal readonly record struct MaskStream(ulong Value, bool Draws);
