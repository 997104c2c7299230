using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>Compiles every kernel family to a file of PTX. Needs no GPU and no driver; the same sources give the same bytes.</summary>
internal static partial class PtxCompiler
{
    /// <summary>ILGPU's name of it, which is declared once a file.</summary>
    private const string DynamicSharedMemory = "__dyn_shared_alloca";

    /// <summary>Compiles all families of this assembly.</summary>
    /// <param name="sources">Folder of the sources, whose hash goes into each file.</param>
    /// <param name="output">Folder of the results; what is there of no family is deleted.</param>
    public static void CompileAll(string sources, string output)
    {
        using Context context = Context.Create(builder => builder.Optimize(OptimizationLevel.O2).Inlining(InliningMode.Aggressive));
        CudaArchitecture architecture = CudaArchitecture.SM_80;
        using var backend = new PTXBackend(context, new CudaCapabilityContext(architecture), architecture, CudaInstructionSet.ISA_70, null);
        string header = $"// sources: sha256 {HashOf(sources)}\n// compiler: ILGPU {typeof(Context).Assembly.GetName().Version!.ToString(3)}\n";
        Type[] families = [.. typeof(PtxCompiler).Assembly.GetTypes().Where(type => type.GetCustomAttribute<KernelFamilyAttribute>() is not null)];
        foreach (string old in Directory.GetFiles(output, "*.ptx"))
        {
            if (!families.Any(family => family.Name == Path.GetFileNameWithoutExtension(old))) File.Delete(old);
        }

        foreach (Type family in families)
        {
            var text = new StringBuilder(header);
            text.Append(".version 7.0\n.target sm_80\n.address_size 64\n");
            MethodInfo[] kernels = family.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly);
            string[] compiled = [.. kernels.OrderBy(kernel => kernel.Name, StringComparer.Ordinal).Select(kernel => Compile(backend, kernel))];
            if (compiled.Any(kernel => kernel.Contains(DynamicSharedMemory, StringComparison.Ordinal))) text.Append($".extern .shared .align 128 .b8 {DynamicSharedMemory}[];\n");
            foreach (string kernel in compiled) text.Append('\n').Append(kernel);
            File.WriteAllText(Path.Combine(output, $"{family.Name}.ptx"), text.ToString());
            Console.WriteLine($"{family.Name}.ptx: {kernels.Length} kernels, {text.Length} characters");
        }
    }

    /// <summary>SHA-256 over the names and texts of a folder's .cs files, in order of their names, with line feeds for line ends.</summary>
    private static string HashOf(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in Directory.GetFiles(folder, "*.cs").OrderBy(Path.GetFileName, StringComparer.Ordinal))
            hash.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(file)}\n{File.ReadAllText(file).ReplaceLineEndings("\n")}"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>One kernel's PTX under its own name, without the module's header, with names numbered as they come.</summary>
    private static string Compile(PTXBackend backend, MethodInfo kernel)
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
