namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// A matrix seen as panels of a fixed number of columns: row p of panel j starts at Data + j · PanelStep + p · RowStep. If the last panel
/// is partial it may lie elsewhere, widened to whole vectors.
/// </summary>
internal unsafe struct PanelView<T>
    where T : unmanaged
{
    public T* Data;
    public nint PanelStep;
    public nint RowStep;

    /// <summary>The partial panel, or null if it lies with the others.</summary>
    public T* Tail;
    public nint TailRowStep;
}
