using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Testing;

/// <summary>An op that failed a check.</summary>
public sealed class OpCheckException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Checks of an op, by name: of its gradients, in every vector width that the processor has, and of its bits on several numbers of threads.</summary>
public static class OpCheck
{
    private const double DeviceTolerance = 1e-5;

    private static readonly Dictionary<string, Action<OpEntry, OpCase>> Kinds = new()
    {
        ["gradient in double"] = (_, op) => GradientCheck.Verify(op.Apply, op.Inputs, DType.Float64, samples: 24),
        ["gradient in single"] = (_, op) => GradientCheck.Verify(op.Apply, op.Inputs, DType.Float32, samples: 24),
        ["second derivative"] = (entry, op) =>
        {
            if (entry.IsTwiceDifferentiable) GradGradCheck.Verify(op.Apply, op.Inputs, 2e-5, samples: 8);
        },
    };

    private static readonly SimdPath[] Paths = [.. Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported)];

    /// <summary>Every check of this machine: "gradient in double, Vector256", …, "the same bits on any number of threads".</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Kinds.Keys.SelectMany(kind => Paths.Select(path => $"{kind}, {path}")), SameBits];

    private const string SameBits = "the same bits on any number of threads";

    /// <summary>Runs one check on some cases of the op, of which some inputs are views.</summary>
    /// <exception cref="ArgumentException">There is no such check.</exception>
    /// <exception cref="OpCheckException">The op fails it: the message names the case, which <see cref="OpEntry.DrawWithViews"/> draws again from its seed.</exception>
    public static void Run(OpEntry op, string check, int cases = 20)
    {
        ArgumentNullException.ThrowIfNull(op);
        if (!Names.Contains(check)) throw new ArgumentException($"there is no check '{check}'; there are {string.Join("; ", Names)}");
        int cut = check.LastIndexOf(", ", StringComparison.Ordinal);
        int checkedCases = 0;
        for (int seed = 0; seed < cases; seed++)
        {
            using var scope = new TensorScope();
            OpCase drawn = op.DrawWithViews(new CaseSource(seed));
            if (drawn.Apply(drawn.Inputs).Count == 0 || !drawn.Inputs.Any(input => input.RequiresGrad && input.Count > 0)) continue;
            checkedCases++;
            try
            {
                if (check == SameBits) SameBitsOnThreads(drawn);
                else OnPath(Enum.Parse<SimdPath>(check[(cut + 2)..]), () => Kinds[check[..cut]](op, drawn));
            }
            catch (Exception wrong)
            {
                throw new OpCheckException($"{op.Name}, {check}, seed {seed}: {drawn.Description}: {wrong.Message}", wrong);
            }
        }

        if (checkedCases == 0) throw new OpCheckException($"{op.Name}, {check}: nothing was checked: none of {cases} cases has elements and an input that requires a gradient");
    }

    /// <summary>Compares results and gradients on a device with the CPU's, in single precision.</summary>
    /// <exception cref="OpCheckException">They differ.</exception>
    public static void OnDevice(OpEntry op, Device device, int cases = 20)
    {
        ArgumentNullException.ThrowIfNull(op);
        ArgumentNullException.ThrowIfNull(device);
        for (int seed = 0; seed < cases; seed++)
        {
            using var scope = new TensorScope();
            OpCase drawn = op.DrawWithViews(new CaseSource(seed));
            DeviceCheckResult worst = DeviceCheck.Run(drawn, device);
            if (worst.Error > DeviceTolerance) throw new OpCheckException($"{op.Name} on {device.Name}, seed {seed}: {drawn.Description}: {worst}");
        }
    }

    private static void OnPath(SimdPath path, Action check)
    {
        SimdPath? before = SimdPaths.Forced;
        SimdPaths.Forced = path;
        try
        {
            check();
        }
        finally
        {
            SimdPaths.Forced = before;
        }
    }

    private static void SameBitsOnThreads(OpCase drawn)
    {
        int before = Compute.Threads;
        try
        {
            Compute.Threads = 1;
            List<double[]> expected = Results(drawn);
            foreach (int threads in (int[])[2, 3])
            {
                Compute.Threads = threads;
                List<double[]> actual = Results(drawn);
                for (int i = 0; i < expected.Count; i++)
                {
                    if (!expected[i].AsSpan().SequenceEqual(actual[i])) throw new OpCheckException($"{(i == 0 ? "the result" : $"gradient {i - 1}")} differs on {threads} threads");
                }
            }
        }
        finally
        {
            Compute.Threads = before;
        }
    }

    private static List<double[]> Results(OpCase drawn)
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        foreach (Tensor input in drawn.Inputs) input.ClearGrad();
        Tensor y = drawn.Apply(drawn.Inputs);
        if (y.RequiresGrad) tape.Backward(y, Tensor.Full(y.Shape, 0.25, y.DType));
        List<double[]> results = [y.To(DType.Float64).ToArray<double>()];
        foreach (Tensor input in drawn.Inputs)
        {
            if (input.Grad is { } gradient) results.Add(gradient.ToArray<double>());
            input.ClearGrad();
        }

        return results;
    }
}
