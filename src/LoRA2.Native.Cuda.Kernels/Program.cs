using LoRA2.Native.Cuda.Kernels.Compilation;

if (args.Length != 1)
{
    Console.Error.WriteLine("usage: LoRA2.Native.Cuda.Kernels FOLDER    compiles every kernel to a file FAMILY.KERNEL.ptx in the folder; lists their hashes in hashes.txt; writes what starts them, KernelLaunchers.cs");
    return 2;
}

KernelFolder.Write(args[0], PtxCompiler.CompileAll());
return 0;
