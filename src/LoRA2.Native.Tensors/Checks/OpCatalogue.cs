using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors.Checks;

/// <summary>Valid random inputs of an op, and the op applied to them.</summary>
/// <param name="Inputs">The inputs; floating-point ones that get a gradient require it.</param>
/// <param name="Apply">Applies the op to inputs of the same shapes, in either precision.</param>
/// <param name="Description">Shapes and settings, for a failing test's message.</param>
public sealed record OpCase(IReadOnlyList<Tensor> Inputs, Func<IReadOnlyList<Tensor>, Tensor> Apply, string Description);

/// <summary>One op of the catalogue.</summary>
/// <param name="Name">The name of the method in <see cref="Ops"/>, and after a comma which of its uses where there are several.</param>
/// <param name="Draw">Draws a case.</param>
public sealed record OpEntry(string Name, Func<CaseSource, OpCase> Draw)
{
    /// <summary>Whether a kernel that it needs is the CPU's alone: elsewhere the op throws <see cref="NotSupportedException"/>, which names the kernel.</summary>
    public bool OnCpuOnly { get; init; }

    /// <summary>Whether its gradient can be differentiated (<see cref="Autograd.Tape.Gradients"/> with createGraph).</summary>
    public bool IsTwiceDifferentiable { get; init; }

    /// <summary>Draws a case of which some inputs reach the op as views that are not contiguous; gradients flow through the views.</summary>
    public OpCase DrawWithViews(CaseSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return ViewedInput.InSome(Draw(source), source);
    }
}

/// <summary>
/// Every op with a generator of valid random inputs. The gradient tests walk it, so an op that is not here fails the build's tests by name. Ops of
/// your own can be added with <see cref="Register"/>.
/// </summary>
public static partial class OpCatalogue
{
    private static readonly Lock Gate = new();
    private static readonly List<OpEntry> Entries = [.. BuiltIn()];

    /// <summary>All ops.</summary>
    public static IReadOnlyList<OpEntry> All
    {
        get
        {
            lock (Gate) return [.. Entries];
        }
    }

    /// <summary>Adds an op.</summary>
    /// <exception cref="ArgumentException">There is one of that name.</exception>
    public static void Register(OpEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        lock (Gate)
        {
            if (Entries.Exists(known => known.Name == entry.Name)) throw new ArgumentException($"the catalogue has an op named {entry.Name}");
            Entries.Add(entry);
        }
    }
}
