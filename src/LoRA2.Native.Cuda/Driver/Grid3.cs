namespace LoRA2.Native.Cuda.Driver;

/// <summary>Blocks of a grid, or threads of a block, along three axes.</summary>
internal readonly record struct Grid3(int X, int Y = 1, int Z = 1)
{
    public static implicit operator Grid3(int x) => new(x);
}
