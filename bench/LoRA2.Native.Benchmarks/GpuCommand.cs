using LoRA2.Native.Cuda;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// Checks every op on the first NVIDIA GPU against the CPU and times the kernels against the GPU's own copying speed and, given PyTorch's command with
/// <c>--peer</c>, against cuBLAS in turns. Prints one Markdown table.
/// </summary>
internal static class GpuCommand
{
    private const int Seeds = 40;

    public static int Run(string[] args)
    {
        string? peer = args is ["--peer", var command] ? command : null;
        if (args.Length > 0 && peer is null)
        {
            Console.Error.WriteLine("usage: gpu [--peer \"python3 bench/gpu/peers/gemm.py --device cuda\"]");
            return 2;
        }

        try
        {
            using CudaDevice gpu = CudaDevice.Open();
            (long free, long total) = gpu.MemoryBytes;
            Console.WriteLine($"# {gpu.Model}, {total >> 20:N0} MB ({free >> 20:N0} free), {DateTime.UtcNow:yyyy-MM-dd}\n");
            bool right = Check(gpu);
            GpuTimings.Print(gpu, peer);
            return right ? 0 : 1;
        }
        catch (Exception e) when (e is CudaException or CudaMemoryException)
        {
            Console.Error.WriteLine(e.Message);
            return 2;
        }
    }

    private static bool Check(Device gpu)
    {
        bool right = true;
        Console.WriteLine("| op, forward and backward | cases | largest error to the CPU | |\n| --- | --- | --- | --- |");
        foreach (OpEntry op in OpCatalogue.All.Where(op => !op.OnCpuOnly))
        {
            DeviceCheckResult worst = default;
            for (int seed = 0; seed < Seeds; seed++)
            {
                var source = new CaseSource(seed) { Enlargement = seed % 8 == 7 ? 8 : 1 };
                DeviceCheckResult result = DeviceCheck.Run(seed % 3 == 2 ? op.DrawWithViews(source) : op.Draw(source), gpu);
                if (result.Error >= worst.Error) worst = result;
            }

            bool fine = worst.Error <= 1e-5;
            right &= fine;
            Console.WriteLine($"| {op.Name} | {Seeds} | {worst.Error:g2} | {(fine ? "" : $"WRONG: {worst}")} |");
        }

        Console.WriteLine();
        return right;
    }
}
