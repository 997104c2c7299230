using System.CommandLine;
using System.Globalization;
using LoRA2.Native.Cuda;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Cli;

/// <summary>The option <c>--device</c>, and the device it names.</summary>
internal sealed class DeviceOption : IDisposable
{
    private readonly CudaDevice? gpu;
    private bool settled;

    private DeviceOption(CudaDevice? gpu) => this.gpu = gpu;

    /// <summary>Where the model computes.</summary>
    public Device Device => gpu ?? Device.Cpu;

    /// <summary>The device's name and what it is, for a person.</summary>
    public string Description => gpu is null ? "cpu" : $"{gpu.Name} ({gpu.Model})";

    /// <summary>The same with a comma, for records.</summary>
    public string FullName => gpu is null ? "cpu" : $"{gpu.Name}, {gpu.Model}";

    public static Option<string?> Create()
    {
        var option = new Option<string?>("--device")
        {
            Description = "cuda is the first NVIDIA GPU, cuda:1 the second; auto takes the GPU if there is one [cpu]",
            HelpName = "cpu|cuda|auto",
        };
        option.Validators.Add(result =>
        {
            foreach (System.CommandLine.Parsing.Token token in result.Tokens)
            {
                if (token.Value is not ("cpu" or "auto") && Ordinal(token.Value) is null) result.AddError($"option --device is '{token.Value}'; cpu, cuda, cuda:1 or auto can be");
            }
        });
        return option;
    }

    /// <summary>
    /// Does a command's work on the device that a checked value names. With <c>auto</c>, work that finds not enough memory on the GPU is done again on the CPU, if it has
    /// not called <see cref="Settle"/> before.
    /// </summary>
    /// <param name="value">The option's; the CPU for none.</param>
    /// <param name="notes">Told why <c>auto</c> took the CPU.</param>
    /// <param name="work">Returns the exit code.</param>
    /// <exception cref="InputException">The GPU can't be used; the message says why.</exception>
    public static int Use(string? value, TextWriter notes, Func<DeviceOption, int> work) => Use(value, notes, work, CudaDevice.Open);

    internal static int Use(string? value, TextWriter notes, Func<DeviceOption, int> work, Func<int, CudaDevice> open)
    {
        using (DeviceOption device = Open(value, notes, open))
        {
            try
            {
                return work(device);
            }
            catch (CudaMemoryException e) when (value == "auto" && !device.settled)
            {
                Note(notes, e);
            }
        }

        using var cpu = new DeviceOption(null);
        return work(cpu);
    }

    /// <summary>Says that the work has shown results or used up its input, and is not to be done again.</summary>
    public void Settle() => settled = true;

    public void Dispose() => gpu?.Dispose();

    private static DeviceOption Open(string? value, TextWriter notes, Func<int, CudaDevice> open)
    {
        if (value is null or "cpu") return new DeviceOption(null);
        try
        {
            return new DeviceOption(open(Ordinal(value) ?? 0));
        }
        catch (Exception e) when (e is CudaException or CudaMemoryException)
        {
            if (value != "auto") throw new InputException($"--device {value}: {e.Message}", e);
            Note(notes, e);
            return new DeviceOption(null);
        }
    }

    private static void Note(TextWriter notes, Exception e) => notes.WriteLine($"lora2: --device auto takes the CPU: {e.Message}");

    private static int? Ordinal(string value)
    {
        if (value == "cuda") return 0;
        return value.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(value.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out int ordinal) ? ordinal : null;
    }
}
