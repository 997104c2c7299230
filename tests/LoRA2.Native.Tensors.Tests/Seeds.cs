using FsCheck;
using FsCheck.Fluent;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Runs a property on FsCheck's seeds; a failure names the seed.</summary>
internal static class Seeds
{
    public static void ForAll(int cases, Action<int> property) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(cases).WithEndSize(int.MaxValue), Prop.ForAll<int>(ArbMap.Default.ArbFor<int>(), property));

    public static void ForAll(int cases, Action<CaseSource> property) => ForAll(cases, (int seed) =>
    {
        using var scope = new TensorScope();
        property(new CaseSource(seed));
    });
}
