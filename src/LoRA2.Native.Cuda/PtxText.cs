using LoRA2.Native.Cuda.Driver;

namespace LoRA2.Native.Cuda;

/// <summary>The PTX that the build put into this library: a module for each kernel, as the driver compiles all of the text that it is given.</summary>
internal static unsafe class PtxText
{
    private const string Extension = ".ptx";

    /// <summary>The names, "family.entry", of all kernels, in order.</summary>
    public static IReadOnlyList<string> Kernels { get; } =
        [.. typeof(PtxText).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(Extension, StringComparison.Ordinal)).Select(name => name[..^Extension.Length]).Order(StringComparer.Ordinal)];

    /// <summary>The module of the kernel called "family.entry".</summary>
    public static ReadOnlySpan<byte> OfKernel(string kernel)
    {
        // A resource of an assembly is mapped memory, which stays.
        using var stream = typeof(PtxText).Assembly.GetManifestResourceStream(kernel + Extension) as UnmanagedMemoryStream
            ?? throw new CudaException($"there is no kernel {kernel} in {typeof(PtxText).Assembly.GetName().Name}");
        return new ReadOnlySpan<byte>(stream.PositionPointer, (int)stream.Length);
    }

    /// <summary>A kernel's name in its module.</summary>
    public static string EntryOf(string kernel) => kernel[(kernel.IndexOf('.', StringComparison.Ordinal) + 1)..];
}
