namespace LoRA2.Native.Cuda.Kernels;

/// <summary>The bytes of dynamic shared memory that a kernel is always started with.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class DynamicSharedMemoryAttribute(int bytes) : Attribute
{
    public int Bytes => bytes;
}
