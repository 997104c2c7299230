using System.Reflection;

namespace LoRA2.Native.Cuda.Kernels.Compilation;

/// <summary>A kernel and its PTX, a module that holds nothing else.</summary>
internal sealed record CompiledKernel(MethodInfo Method, string Ptx)
{
    /// <summary>"Family.Kernel", as it is known outside.</summary>
    public string Name => $"{Method.DeclaringType!.Name}.{Method.Name}";
}
