using System.Reflection;
using FsCheck.Xunit;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Shared.Tensors;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Walks the catalogue: every op is in it, and every gradient agrees with central differences.</summary>
public sealed class OpCatalogueTests
{
    [Fact]
    public void EveryPublicOpIsInTheCatalogue()
    {
        IEnumerable<string> ops = typeof(Ops).GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Where(method => method.ReturnType == typeof(Tensor)).Select(method => method.Name).Distinct();
        Assert.Empty(ops.Except(OpCatalogue.All.Select(entry => entry.Name)));
    }

    [Property(MaxTest = 60)]
    public void GradientsAgreeWithCentralDifferencesInDouble(DrawnOps ops) => ops.Each(drawn => Check(drawn, DType.Float64));

    [Property(MaxTest = 25)]
    public void GradientsAgreeWithCentralDifferencesInSingle(DrawnOps ops) => ops.Each(drawn => Check(drawn, DType.Float32));

    [Property(MaxTest = 20)]
    public void UsingEveryInputTwiceAddsBothGradients(DrawnOps ops) => ops.Each(drawn =>
    {
        using var scope = new TensorScope();
        OpCase op = drawn.Draw();
        if (HasGradient(op)) GradientCheck.Verify(inputs => Ops.Add(op.Apply(inputs), Ops.Scale(op.Apply(inputs), -0.5)), op.Inputs, samples: 8);
    });

    [Property(MaxTest = 20)]
    public void AFrozenInputGetsNoGradientBufferAndTheOthersAreUnchanged(DrawnOps ops) => ops.Each(drawn =>
    {
        using var scope = new TensorScope();
        OpCase op = drawn.Draw();
        Tensor[] trained = [.. op.Inputs.Where(input => input.RequiresGrad)];
        if (trained.Length < 2) return;
        double[]?[] all = Gradients(op);
        Tensor frozen = trained[drawn.Seed % trained.Length];
        frozen.RequiresGrad = false;
        double[]?[] rest = Gradients(op);
        for (int i = 0; i < op.Inputs.Count; i++)
        {
            if (op.Inputs[i] == frozen) Assert.Null(rest[i]);
            else Assert.Equal(all[i], rest[i]);
        }
    });

    private static double[]?[] Gradients(OpCase drawn)
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        foreach (Tensor input in drawn.Inputs) input.ClearGrad();
        Tensor y = drawn.Apply(drawn.Inputs);
        if (y.RequiresGrad) tape.Backward(y, Tensor.Full(y.Shape, 0.25, DType.Float64));
        return [.. drawn.Inputs.Select(input => input.Grad?.ToArray<double>())];
    }

    private static void Check(DrawnOp drawn, DType precision)
    {
        using var scope = new TensorScope();
        OpCase op = drawn.Draw();
        try
        {
            if (HasGradient(op)) GradientCheck.Verify(op.Apply, op.Inputs, precision, samples: 24);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{op.Description}: {e.Message}", e);
        }
    }

    /// <summary>Whether there is a gradient to check: tensors without elements have none, but the op has to take them.</summary>
    private static bool HasGradient(OpCase op) => op.Apply(op.Inputs).Count > 0 && op.Inputs.Any(input => input.RequiresGrad && input.Count > 0);
}
