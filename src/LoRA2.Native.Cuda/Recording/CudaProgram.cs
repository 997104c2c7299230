using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Cuda.Recording;

/// <summary>A CUDA graph, ready to be started.</summary>
internal sealed unsafe class CudaProgram(CudaDevice device, ICudaDriver driver, nint executable, nint graph, uint pass, PassNode[] ofPass, Storage[] kept) : DeviceProgram
{
    private uint current = pass;
    private bool disposed;

    public override void Run(uint pass)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (pass != current)
        {
            foreach (PassNode node in ofPass)
            {
                RecordedKernel start = node.Start;
                ulong stream = start.Arguments[start.StreamAt];
                // A recording of several passes in a row keeps their distances.
                start.Arguments[start.StreamAt] = (stream & ~(ulong)uint.MaxValue) | ((uint)stream + (pass - current));
                fixed (ulong* arguments = start.Arguments)
                    driver.SetKernel(executable, node.Node, node.Kernel, start.Grid, start.Block, start.Kernel.DynamicSharedMemory, arguments, start.Arguments.Length);
            }

            current = pass;
        }

        driver.LaunchGraph(executable);
    }

    public override void Dispose()
    {
        if (disposed) return;
        disposed = true;
        driver.DestroyExecutable(executable);
        driver.DestroyGraph(graph);
        foreach (Storage block in kept) block.Release();
        device.Ended();
    }
}

/// <summary>A kernel of a graph that has another argument in every pass.</summary>
internal sealed record PassNode(nint Node, nint Kernel, RecordedKernel Start);
