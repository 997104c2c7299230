using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda;

/// <content>Kernels that are still to be written; this file goes when it is empty.</content>
internal sealed unsafe partial class CudaKernels
{
}
