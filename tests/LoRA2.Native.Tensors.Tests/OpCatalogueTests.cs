using System.Reflection;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Walks the catalogue: every op is in it, and every gradient agrees with central differences.</summary>
public sealed class OpCatalogueTests
{
    public static TheoryData<string> Names => [.. OpCatalogue.All.Select(entry => entry.Name)];

    [Fact]
    public void EveryPublicOpIsInTheCatalogue()
    {
        IEnumerable<string> ops = typeof(Ops).GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Where(method => method.ReturnType == typeof(Tensor)).Select(method => method.Name).Distinct();
        Assert.Empty(ops.Except(OpCatalogue.All.Select(entry => entry.Name)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void GradientsAgreeWithCentralDifferencesInDouble(string name) => CheckAll(name, DType.Float64, 60);

    [Theory]
    [MemberData(nameof(Names))]
    public void GradientsAgreeWithCentralDifferencesInSingle(string name) => CheckAll(name, DType.Float32, 25);

    [Theory]
    [MemberData(nameof(Names))]
    public void UsingEveryInputTwiceAddsBothGradients(string name)
    {
        OpEntry entry = Entry(name);
        Run(20, seed =>
        {
            using var scope = new TensorScope();
            OpCase drawn = entry.DrawWithViews(new CaseSource(seed));
            GradientCheck.Verify(inputs => Ops.Add(drawn.Apply(inputs), Ops.Scale(drawn.Apply(inputs), -0.5)), drawn.Inputs, samples: 8);
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AFrozenInputGetsNoGradientBufferAndTheOthersAreUnchanged(string name)
    {
        OpEntry entry = Entry(name);
        Run(20, seed =>
        {
            using var scope = new TensorScope();
            OpCase drawn = entry.DrawWithViews(new CaseSource(seed));
            Tensor[] trained = [.. drawn.Inputs.Where(input => input.RequiresGrad)];
            if (trained.Length < 2) return;
            double[]?[] all = Gradients(drawn);
            Tensor frozen = trained[(seed & int.MaxValue) % trained.Length];
            frozen.RequiresGrad = false;
            double[]?[] rest = Gradients(drawn);
            for (int i = 0; i < drawn.Inputs.Count; i++)
            {
                if (drawn.Inputs[i] == frozen) Assert.Null(rest[i]);
                else Assert.Equal(all[i], rest[i]);
            }
        });
    }

    private static double[]?[] Gradients(OpCase drawn)
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        foreach (Tensor input in drawn.Inputs) input.ClearGrad();
        Tensor y = drawn.Apply(drawn.Inputs);
        if (y.RequiresGrad) tape.Backward(y, Tensor.Full(y.Shape, 0.25, DType.Float64));
        return [.. drawn.Inputs.Select(input => input.Grad?.ToArray<double>())];
    }

    private static void CheckAll(string name, DType precision, int cases)
    {
        OpEntry entry = Entry(name);
        Run(cases, seed =>
        {
            using var scope = new TensorScope();
            OpCase drawn = entry.DrawWithViews(new CaseSource(seed));
            try
            {
                GradientCheck.Verify(drawn.Apply, drawn.Inputs, precision, samples: 24);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{name}, seed {seed}: {drawn.Description}: {e.Message}", e);
            }
        });
    }

    private static OpEntry Entry(string name) => OpCatalogue.All.Single(entry => entry.Name == name);

    private static void Run(int cases, Action<int> body) => Seeds.ForAll(cases, body);
}
