using System.Text;
using LoRA2.Native.Cuda.Launching;

namespace LoRA2.Native.Cuda.Tests;

/// <summary>The kernels in the library by their names, "Family.Kernel".</summary>
internal static class LibraryPtx
{
    public static IReadOnlyList<string> Names { get; } = [.. KernelLaunchers.All.Select(kernel => kernel.Name)];

    public static IEnumerable<string> NamesOf(string family) => Names.Where(name => name.StartsWith($"{family}.", StringComparison.Ordinal));

    public static string Of(string kernel) => Encoding.UTF8.GetString(KernelLaunchers.All.Single(one => one.Name == kernel).Ptx);
}
