using BenchmarkDotNet.Running;
using LoRA2.Native.Benchmarks;

switch (args)
{
    case ["step", .. var rest]:
        StepCommand.Run(rest);
        break;
    case ["products", .. var rest]:
        ProductsCommand.Run(rest);
        break;
    case ["peak", .. var rest]:
        PeakCommand.Run(rest);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(StepCommand).Assembly).Run(args);
        break;
}
