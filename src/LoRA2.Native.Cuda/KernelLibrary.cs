using LoRA2.Native.Cuda.Driver;

namespace LoRA2.Native.Cuda;

/// <summary>The kernels that come with this library, as PTX; each file is compiled by the driver when a kernel of it is first asked for.</summary>
internal sealed class KernelLibrary(ICudaDriver driver)
{
    private readonly Dictionary<string, nint> modules = [];
    private readonly Dictionary<string, nint> kernels = [];
    private readonly Lock gate = new();

    /// <summary>The names of the files, without extension.</summary>
    public static IEnumerable<string> Families =>
        typeof(KernelLibrary).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(".ptx", StringComparison.Ordinal)).Select(name => name[..^4]).Order(StringComparer.Ordinal);

    /// <summary>The PTX of one family of kernels.</summary>
    public static byte[] Ptx(string family)
    {
        using Stream stream = typeof(KernelLibrary).Assembly.GetManifestResourceStream($"{family}.ptx")
            ?? throw new CudaException($"there is no {family}.ptx in {typeof(KernelLibrary).Assembly.GetName().Name}");
        byte[] text = new byte[stream.Length];
        stream.ReadExactly(text);
        return text;
    }

    /// <summary>The kernel called "family.name".</summary>
    public nint Find(string kernel, int dynamicSharedMemory)
    {
        lock (gate)
        {
            if (kernels.TryGetValue(kernel, out nint found)) return found;
            int dot = kernel.IndexOf('.', StringComparison.Ordinal);
            string family = kernel[..dot];
            if (!modules.TryGetValue(family, out nint module)) modules[family] = module = driver.LoadModule(family, Ptx(family));
            return kernels[kernel] = driver.GetKernel(module, kernel[(dot + 1)..], dynamicSharedMemory);
        }
    }
}
