namespace LoRA2.Native.Cuda.Kernels.Attention;

/// <summary>A thread's 4 × 4 elements of a tile, by rows.</summary>
internal struct Square
{
    public Float4 Row0;
    public Float4 Row1;
    public Float4 Row2;
    public Float4 Row3;
}
