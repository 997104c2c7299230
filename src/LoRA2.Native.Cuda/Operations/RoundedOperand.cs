using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Cuda.Operations;

/// <summary>A frozen operand in bfloat16, as the kernels of products read it in both orientations; kept with its tensor.</summary>
/// <param name="storage">Its memory, whose one owner this is; null where it is the tensor's own.</param>
/// <param name="address">Where it is.</param>
/// <param name="precision">The precision whose terms it holds.</param>
/// <param name="row">Bytes of a row.</param>
/// <param name="plane">Bytes from one term of a row to the next.</param>
internal sealed class RoundedOperand(Storage? storage, Address address, Precision precision, long row, long plane) : IDisposable
{
    private Storage? storage = storage;
    private Address address = address;

    public Precision Precision => precision;

    public Address Address => address != default ? address : throw new ObjectDisposedException(nameof(RoundedOperand));

    public long Row => row;

    public long Plane => plane;

    public void Dispose()
    {
        storage?.Release();
        storage = null;
        address = default;
    }
}
