using BenchmarkDotNet.Running;
using LoRA2.Native.Benchmarks;
using LoRA2.Native.Benchmarks.Distributed;
using LoRA2.Native.Benchmarks.FirstSteps;
using LoRA2.Native.Benchmarks.Fuzzing;
using LoRA2.Native.Benchmarks.TensorOps;

switch (args)
{
    case ["step", .. var rest]:
        StepCommand.Run(rest);
        break;
    case ["encode", .. var rest]:
        EncodeCommand.Run(rest);
        break;
    case ["first-steps", .. var rest]:
        FirstStepsCommand.Run(rest);
        break;
    case ["products", .. var rest]:
        ProductsCommand.Run(rest);
        break;
    case ["gpu", .. var rest]:
        return GpuCommand.Run(rest);
    case ["fuzz", .. var rest]:
        return FuzzCommand.Run(rest);
    case ["gradients", .. var rest]:
        return GradientsCommand.Run(rest);
    case ["distributed", .. var rest]:
        DistributedCommand.Run(rest);
        break;
    case ["adapters", .. var rest]:
        AdaptersCommand.Run(rest);
        break;
    case ["packing", .. var rest]:
        PackingCommand.Run(rest);
        break;
    case ["ops", .. var rest]:
        OpsCommand.Run(rest);
        break;
    case ["peak", .. var rest]:
        PeakCommand.Run(rest);
        break;
    default:
        // In this process: a project that BenchmarkDotNet generates for a process of its own does not find Iced.
        BenchmarkSwitcher.FromAssembly(typeof(StepCommand).Assembly).Run(args.Contains("--inProcess") ? args : [.. args, "--inProcess"]);
        break;
}

return 0;
