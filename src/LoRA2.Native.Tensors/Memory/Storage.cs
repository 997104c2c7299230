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
    private int generation;

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
    public int Generation
    {
        get => Volatile.Read(ref generation);
        private init => generation = value;
    }

    /// <summary>Whether one owner alone holds it, so that it may be written in place.</summary>
    public bool IsExclusive => references == 1;

    /// <summary>Counts the first owner of a block that nobody has.</summary>
    public void Retain() => Interlocked.Increment(ref references);

    /// <summary>Counts one more owner, unless the block was given back since it was of this generation.</summary>
    public bool TryRetain(int generation)
    {
        int found = Volatile.Read(ref references);
        while (found > 0 && Generation == generation)
        {
            int before = Interlocked.CompareExchange(ref references, found + 1, found);
            if (before == found)
            {
                // It may have gone and come back in between: then it is another's, who has one owner too many for a moment.
                if (Generation == generation) return true;
                Release();
                return false;
            }

            found = before;
        }

        return false;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref references) == 0) GiveBack();
    }

    private void GiveBack()
    {
        references = 0;
        Volatile.Write(ref generation, generation + 1);
        pool.Return(this);
    }
}
