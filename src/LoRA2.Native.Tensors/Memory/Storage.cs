using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Memory;

/// <summary>
/// A block of memory that several tensors may view, counted by its owners: every live tensor and every op that saved one for its gradient. When
/// the last lets go, the pool keeps the object with its block for the next tensor; <see cref="Generation"/> tells an owner of the one from an owner of
/// the other. A block nobody released goes back to the pool when it is collected.
/// </summary>
internal sealed unsafe class Storage
{
    private readonly MemoryPool pool;
    private int references;

    public Storage(MemoryPool pool, byte* pointer, nuint size)
    {
        this.pool = pool;
        IsHost = pool.Device.IsHost;
        Pointer = pointer;
        Size = size;
    }

    ~Storage()
    {
        // One that is unused went with its pool.
        if (references == 0) return;
        GC.ReRegisterForFinalize(this);
        GiveBack();
    }

    /// <summary>No block; of a generation that no tensor is of.</summary>
    public static Storage None { get; } = new(MemoryPool.Shared, null, 0) { Generation = -1 };

    /// <summary>Where the block is, in the device's addresses.</summary>
    public byte* Pointer { get; }

    public Device Device => pool.Device;

    /// <summary>Whether this process can read and write it.</summary>
    public bool IsHost { get; }

    /// <summary>Bytes of the block: its size class.</summary>
    public nuint Size { get; }

    /// <summary>How often the block was given back.</summary>
    public int Generation { get; private set; }

    /// <summary>Whether one owner alone holds it, so that it may be written in place.</summary>
    public bool IsExclusive => references == 1;

    public void Retain() => Interlocked.Increment(ref references);

    public void Release()
    {
        if (Interlocked.Decrement(ref references) == 0) GiveBack();
    }

    private void GiveBack()
    {
        references = 0;
        Generation++;
        pool.Return(this);
    }
}
