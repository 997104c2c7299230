namespace LoRA2.Native.Cuda.Launching;

/// <summary>A kernel of this library.</summary>
/// <param name="index">Its place in <see cref="KernelLaunchers.All"/>.</param>
/// <param name="name">"Family.Kernel".</param>
/// <param name="dynamicSharedMemory">The bytes of dynamic shared memory that it is always started with.</param>
internal sealed class Kernel(int index, string name, int dynamicSharedMemory)
{
    public int Index => index;

    public string Name => name;

    public int DynamicSharedMemory => dynamicSharedMemory;

    /// <summary>The name of the entry in its module.</summary>
    public string Entry { get; } = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..];

    /// <summary>Its module, which holds nothing else, as the driver compiles all of the text that it is given.</summary>
    public unsafe ReadOnlySpan<byte> Ptx
    {
        get
        {
            // A resource of an assembly is mapped memory, which stays.
            using var stream = (UnmanagedMemoryStream)typeof(Kernel).Assembly.GetManifestResourceStream($"{name}.ptx")!;
            return new ReadOnlySpan<byte>(stream.PositionPointer, (int)stream.Length);
        }
    }

    public override string ToString() => name;
}
