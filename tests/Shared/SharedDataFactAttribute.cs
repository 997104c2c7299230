using LoRA2.Native.Tests.Shared;
namespace LoRA2.Native.Tests.Shared;

/// <summary>A test over the real data in the folder <c>shared</c> beside the checkout; skipped, saying so, where that is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute(string relative)
    {
        if (!SharedData.Has(relative)) Skip = $"{SharedData.Path(relative)} is absent";
    }
}
