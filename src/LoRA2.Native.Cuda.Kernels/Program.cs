using LoRA2.Native.Cuda.Kernels;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: dotnet run -p:EnableIlgpu=true -- SOURCES PTX    compiles the kernels in the folder SOURCES (this project's) to files in the folder PTX");
    return 2;
}

PtxCompiler.CompileAll(args[0], args[1]);
return 0;
