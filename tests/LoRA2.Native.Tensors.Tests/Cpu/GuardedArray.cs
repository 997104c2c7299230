using System.Numerics;
using System.Runtime.InteropServices;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>
/// A native array between two guards of set bits (NaN for floating-point types, so a read outside poisons results); <see cref="Check"/>
/// fails if a guard was written to. The first element is deliberately not aligned to a register.
/// </summary>
internal sealed unsafe class GuardedArray<T> : IDisposable
    where T : unmanaged
{
    private const int Guard = 192;
    private readonly byte* memory;
    private readonly int bytes;

    public GuardedArray(int length)
    {
        Length = length;
        bytes = (length * sizeof(T)) + (2 * Guard);
        memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        new Span<byte>(memory, bytes).Fill(0xFF);
        Pointer = (T*)(memory + Guard - 8);
        Span.Clear();
    }

    public GuardedArray(ReadOnlySpan<T> values)
        : this(values.Length) => values.CopyTo(Span);

    public int Length { get; }

    public T* Pointer { get; }

    public Span<T> Span => new(Pointer, Length);

    public T this[int index] => Span[index];

    public void Check()
    {
        int after = Guard - 8 + (Length * sizeof(T));
        Assert.True(new ReadOnlySpan<byte>(memory, Guard - 8).IndexOfAnyExcept((byte)0xFF) < 0, "Something was written before the array.");
        Assert.True(new ReadOnlySpan<byte>(memory + after, bytes - after).IndexOfAnyExcept((byte)0xFF) < 0, "Something was written after it.");
    }

    public void Dispose()
    {
        Check();
        NativeMemory.AlignedFree(memory);
    }
}
