using System.Runtime.InteropServices;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>Four floats that are read and written in one access of 16 bytes; its address is a multiple of 16.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct Float4(float x, float y, float z, float w)
{
    public float X = x;
    public float Y = y;
    public float Z = z;
    public float W = w;

    /// <summary>a b + c, of each; the driver's compiler makes one operation of the two.</summary>
    public static Float4 MultiplyAdd(float a, Float4 b, Float4 c) => new((a * b.X) + c.X, (a * b.Y) + c.Y, (a * b.Z) + c.Z, (a * b.W) + c.W);
}
