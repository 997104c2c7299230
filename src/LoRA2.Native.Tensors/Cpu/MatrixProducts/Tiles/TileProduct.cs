using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// The operands of one product of packed blocks: C = Alpha · A·B + Beta · C + epilogue, over the depth that <see cref="Panels"/> holds.
/// <typeparamref name="T"/> is A's element type, float or bfloat16 (ushort).
/// </summary>
internal unsafe struct TileProduct<T>
    where T : unmanaged
{
    /// <summary>What multiplies: any path but <see cref="BFloat16Path.Vector"/>.</summary>
    public BFloat16Path Path;
    public int Rows;
    public int Columns;

    /// <summary>Length of the sum.</summary>
    public nint Depth;

    /// <summary>Bfloat16 terms of each operand.</summary>
    public int Terms;

    /// <summary>A: Rows × Depth, or its transpose.</summary>
    public T* A;
    public nint AStep;
    public bool TransposedA;

    /// <summary>Factor of A, applied before it is rounded.</summary>
    public float Alpha;

    /// <summary>B's packed panels, <see cref="PanelStep"/> bytes apart.</summary>
    public byte* Panels;
    public nint PanelStep;

    public float Beta;
    public float* C;
    public nint CStep;

    /// <summary>What is added; <see cref="Epilogue{T}.Right"/> is read from <see cref="RightPanels"/> instead.</summary>
    public Epilogue<float> Epilogue;

    /// <summary>The low-rank update's right factor, packed.</summary>
    public byte* RightPanels;
}
