using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace LoRA2.Native.Cuda.Kernels.Compilation;

/// <summary>Compiles every kernel to PTX. Needs no GPU and no driver; the same kernels give the same bytes.</summary>
internal static partial class PtxCompiler
{
    /// <summary>ILGPU's name of it, which a module that uses it declares.</summary>
    private const string DynamicSharedMemory = "__dyn_shared_alloca";

    /// <summary>Compiles the public static methods of all kernel families of this assembly, in the order of their names.</summary>
    public static CompiledKernel[] CompileAll()
    {
        MethodInfo[] methods =
        [
            .. typeof(PtxCompiler).Assembly.GetTypes()
                .Where(type => type.GetCustomAttribute<KernelFamilyAttribute>() is not null)
                .SelectMany(family => family.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)),
        ];
        var kernels = new CompiledKernel[methods.Length];
        Parallel.For(0, methods.Length, i => kernels[i] = new CompiledKernel(methods[i], ModuleOf(methods[i])));
        return [.. kernels.OrderBy(kernel => kernel.Name, StringComparer.Ordinal)];
    }

    public static bool UsesDynamicSharedMemory(string ptx) => ptx.Contains(DynamicSharedMemory, StringComparison.Ordinal);

    /// <summary>A module of one kernel. Each has a context of its own: in a shared one the order of instructions depends on what was compiled before.</summary>
    private static string ModuleOf(MethodInfo kernel)
    {
        using Context context = Context.Create(builder => builder.Optimize(OptimizationLevel.O2).Inlining(InliningMode.Aggressive).EnableAlgorithms());
        CudaArchitecture architecture = CudaArchitecture.SM_80;
        using var backend = new PTXBackend(context, new CudaCapabilityContext(architecture), architecture, CudaInstructionSet.ISA_70, null);
        string entry = EntryOf(backend, kernel);
        string shared = UsesDynamicSharedMemory(entry) ? $".extern .shared .align 128 .b8 {DynamicSharedMemory}[];\n" : "";
        return $".version 7.0\n.target sm_80\n.address_size 64\n{shared}\n{entry}";
    }

    /// <summary>One kernel's PTX under its own name, without the module's header, with names numbered as they come.</summary>
    private static string EntryOf(PTXBackend backend, MethodInfo kernel)
    {
        var compiled = (PTXCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel), default);
        string text = compiled.PTXAssembly.ReplaceLineEndings("\n");
        text = text[text.IndexOf(".visible .entry", StringComparison.Ordinal)..].Replace(compiled.Name, kernel.Name, StringComparison.Ordinal);
        // ILGPU takes some conditions for the same in all lanes that are not; NVIDIA's compiler finds out by itself.
        text = PtxMacros.Expand(text).Replace("bra.uni", "bra", StringComparison.Ordinal);
        var names = new Dictionary<string, string>();
        text = NumberedName().Replace(text, match =>
        {
            if (!names.TryGetValue(match.Value, out string? name)) names[match.Value] = name = match.Groups[1].Value + names.Count.ToString(CultureInfo.InvariantCulture);
            return name;
        });
        return Peephole.Rewrite(text).Trim() + "\n";
    }

    [GeneratedRegex(@"\b(L_|_[A-Za-z]\w*?_)\d+\b")]
    private static partial Regex NumberedName();
}
