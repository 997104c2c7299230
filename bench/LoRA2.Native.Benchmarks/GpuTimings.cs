using System.Diagnostics;
using LoRA2.Native.Cuda;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Benchmarks;

/// <summary>Times kernels on a GPU. Operands are several times the size of its cache.</summary>
internal static class GpuTimings
{
    private const int Rounds = 9;
    private const double RoundSeconds = 0.03;

    public static void Print(CudaDevice gpu, string? peer)
    {
        using var scope = new TensorScope();
        double bandwidth = Bandwidth(gpu);
        Console.WriteLine($"Copying a tensor of 1 GB: {bandwidth / 1e9:N0} GB/s read and written.\n");
        Console.WriteLine("| kernel | microseconds | GB/s | of copying |\n| --- | --- | --- | --- |");
        const int rows = 65536, width = 768;
        long size = (long)rows * width * sizeof(float);
        Tensor x = Values(gpu, [rows, width]), y = Values(gpu, [rows, width]), z = Empty([rows, width]);
        Tensor gain = Values(gpu, [width]), bias = Values(gpu, [width]), mean = Empty([rows]), rstd = Empty([rows]);
        Kernels kernels = gpu.Kernels;
        var mask = new DropoutMask(0.1, 1, 2, 3);
        Row("add", 3 * size, () => kernels.Add(x, y, z));
        Row("gelu", 2 * size, () => kernels.Activate(Activation.Gelu, x, z));
        Row("gelu backward", 3 * size, () => kernels.ActivateBackward(Activation.Gelu, x, y, z));
        Row("dropout", 2 * size, () => kernels.Dropout(x, mask, z));
        Row("layer norm", 2 * size, () => kernels.LayerNorm(x, gain, bias, 1e-5, z, mean, rstd));
        Row("layer norm backward, input", 3 * size, () => kernels.LayerNormBackward(x, gain, mean, rstd, y, z, null, null));
        Row("softmax", 2 * size, () => kernels.Softmax(x, null, z));
        Row("softmax backward", 3 * size, () => kernels.SoftmaxBackward(x, y, z));
        Row("sum of rows", size, () => kernels.SumRows(x, bias));
        Console.WriteLine();
        Console.WriteLine("| product | TFLOP/s | cuBLAS | of cuBLAS |\n| --- | --- | --- | --- |");
        using PeerProducts? cublas = peer is null ? null : new PeerProducts(peer);
        foreach ((int m, int n, int k) in ((int, int, int)[])[(4096, 4096, 4096), (8192, 3072, 768)])
        {
            foreach (Precision precision in (Precision[])[Precision.BFloat16, Precision.BFloat16x3, Precision.Float32])
            {
                Tensor a = Values(gpu, [m, k]), b = Values(gpu, [k, n]).To(precision == Precision.BFloat16 ? DType.BFloat16 : DType.Float32).Freeze(), c = Empty([m, n]);
                double ours = Seconds(gpu, () => kernels.MatMul(a, false, b, false, c, precision: precision));
                double flops = 2.0 * m * n * k;
                double? theirs = cublas?.Seconds(precision == Precision.BFloat16 ? "bfloat16" : "float32", m, n, k, 0.3);
                Console.WriteLine($"| {m} × {k} · {k} × {n}, {precision.ToString().ToLowerInvariant()} | {flops / ours / 1e12:F1} | {(theirs is null ? "—" : $"{flops / theirs / 1e12:F1}")} | {(theirs is null ? "—" : $"{theirs / ours:P0}")} |");
            }
        }

        Tensor Empty(Shape shape) => Tensor.Empty(shape, DType.Float32, gpu);

        void Row(string name, long bytes, Action run)
        {
            double seconds = Seconds(gpu, run);
            Console.WriteLine($"| {name}, {rows} × {width} | {seconds * 1e6:F1} | {bytes / seconds / 1e9:N0} | {bytes / seconds / bandwidth:P0} |");
        }
    }

    private static double Bandwidth(CudaDevice gpu)
    {
        using Tensor from = Tensor.Zeros([1 << 28], DType.Float32, gpu), to = Tensor.Zeros([1 << 28], DType.Float32, gpu);
        return 2.0 * (1L << 30) / Seconds(gpu, () => gpu.Kernels.Copy(from, to));
    }

    private static Tensor Values(Device gpu, Shape shape)
    {
        float[] values = new float[shape.Elements];
        new Philox(1, 2).FillNormal<float>(values, 0, 1);
        return Tensor.From(values, shape).To(gpu);
    }

    /// <summary>The time of one call: the median round of as many calls as fill it.</summary>
    private static double Seconds(Device gpu, Action run)
    {
        double once = Time(gpu, run, 3) / 3;
        once = Time(gpu, run, 10) / 10;
        int calls = Math.Max(5, (int)(RoundSeconds / once));
        double[] rounds = [.. Enumerable.Range(0, Rounds).Select(_ => Time(gpu, run, calls) / calls).Order()];
        return rounds[Rounds / 2];
    }

    private static double Time(Device gpu, Action run, int calls)
    {
        gpu.Synchronize();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++) run();
        gpu.Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
