using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda;

/// <summary>A frozen operand in bfloat16, as the kernels of products read it in both orientations; kept with its tensor.</summary>
/// <param name="storage">Its memory, whose one owner this is.</param>
/// <param name="precision">The precision whose terms it holds.</param>
/// <param name="row">Bytes of a row.</param>
/// <param name="plane">Bytes from one term of a row to the next.</param>
internal sealed unsafe class RoundedOperand(Storage storage, Precision precision, long row, long plane) : IDisposable
{
    private Storage? storage = storage;

    public Precision Precision => precision;

    public nint Address => (nint)(storage ?? throw new ObjectDisposedException(nameof(RoundedOperand))).Pointer;

    public long Row => row;

    public long Plane => plane;

    public void Dispose()
    {
        storage?.Release();
        storage = null;
    }
}
