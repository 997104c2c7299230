using System.Text;
using LoRA2.Native.Cuda.Driver;

namespace LoRA2.Native.Cuda;

/// <summary>The PTX that comes with this library: a file a family of kernels, of which each kernel can be cut out, as the driver compiles all of the text that it is given.</summary>
internal static unsafe class PtxText
{
    /// <summary>The names of the files, without extension.</summary>
    public static IEnumerable<string> Families =>
        typeof(PtxText).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(".ptx", StringComparison.Ordinal)).Select(name => name[..^4]).Order(StringComparer.Ordinal);

    /// <summary>How an entry's first line starts; its end is a line of its own.</summary>
    private static ReadOnlySpan<byte> Entry => "\n.visible .entry "u8;

    /// <summary>One family's whole file.</summary>
    public static ReadOnlySpan<byte> OfFamily(string family)
    {
        // A resource of an assembly is mapped memory, which stays.
        using var stream = typeof(PtxText).Assembly.GetManifestResourceStream($"{family}.ptx") as UnmanagedMemoryStream
            ?? throw new CudaException($"there is no {family}.ptx in {typeof(PtxText).Assembly.GetName().Name}");
        return new ReadOnlySpan<byte>(stream.PositionPointer, (int)stream.Length);
    }

    /// <summary>The names, "family.entry", of a family's kernels, in the file's order.</summary>
    public static List<string> KernelsOf(string family)
    {
        var names = new List<string>();
        ReadOnlySpan<byte> rest = OfFamily(family);
        for (int at = rest.IndexOf(Entry); at >= 0; at = rest.IndexOf(Entry))
        {
            rest = rest[(at + Entry.Length)..];
            names.Add($"{family}.{Encoding.UTF8.GetString(rest[..rest.IndexOf((byte)'(')])}");
        }

        return names;
    }

    /// <summary>A module of the kernel called "family.entry" alone: what stands before the file's first entry, and this one.</summary>
    public static byte[] OfKernel(string kernel)
    {
        (string family, string entry) = Parts(kernel);
        ReadOnlySpan<byte> text = OfFamily(family);
        int first = text.IndexOf(Entry);
        byte[] start = [.. Entry, .. Encoding.UTF8.GetBytes(entry), (byte)'('];
        int at = text.IndexOf(start);
        if (at < 0) throw new CudaException($"there is no kernel {entry} in {family}.ptx");
        int length = text[(at + 1)..].IndexOf(Entry);
        return [.. text[..first], .. length < 0 ? text[at..] : text.Slice(at, length + 1)];
    }

    /// <summary>A kernel's family and its name there.</summary>
    public static (string Family, string Entry) Parts(string kernel)
    {
        int dot = kernel.IndexOf('.', StringComparison.Ordinal);
        return (kernel[..dot], kernel[(dot + 1)..]);
    }
}
