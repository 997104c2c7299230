namespace LoRA2.Native.Tensors;

/// <summary>
/// A block of memory that several tensors may view, counted by its owners: every live tensor and every op that saved one for its gradient.
/// A block nobody released goes back to the pool when it is collected.
/// </summary>
internal sealed unsafe class Storage
{
    private readonly MemoryPool pool;
    private readonly nuint size;
    private int references = 1;

    public Storage(MemoryPool pool, nuint bytes)
    {
        this.pool = pool;
        Pointer = pool.Rent(bytes, out size);
    }

    ~Storage() => Free();

    public byte* Pointer { get; private set; }

    /// <summary>Whether one owner alone holds it, so that it may be written in place.</summary>
    public bool IsExclusive => references == 1;

    public void Retain() => Interlocked.Increment(ref references);

    public void Release()
    {
        if (Interlocked.Decrement(ref references) != 0) return;
        GC.SuppressFinalize(this);
        Free();
    }

    private void Free()
    {
        byte* block = Pointer;
        Pointer = null;
        if (block != null) pool.Return(block, size);
    }
}
