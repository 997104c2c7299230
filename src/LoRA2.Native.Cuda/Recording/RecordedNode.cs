using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Launching;

namespace LoRA2.Native.Cuda.Recording;

/// <summary>What a <see cref="Recorder"/> was given to do.</summary>
internal abstract record RecordedNode;

/// <summary>Memory to fill with a byte.</summary>
internal sealed record RecordedFill(nint Address, byte Value, nuint Bytes) : RecordedNode;

/// <summary>A kernel to start. <paramref name="StreamAt"/> is the number of the argument that is a dropout mask's stream, or negative.</summary>
internal sealed record RecordedKernel(Kernel Kernel, Grid3 Grid, Grid3 Block, ulong[] Arguments, int StreamAt) : RecordedNode;
