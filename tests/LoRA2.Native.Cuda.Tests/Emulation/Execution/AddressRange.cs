namespace LoRA2.Native.Cuda.Tests.Emulation.Execution;

/// <summary>An allocation as one access width sees it: an address a is inside when <c>a - Start &lt;= Last</c>.</summary>
internal struct AddressRange
{
    /// <summary>The allocation's first address; with none, no address is inside.</summary>
    public ulong Start;

    /// <summary>The largest offset at which an access of the width fits.</summary>
    public ulong Last;

    /// <summary>False until an allocation is set.</summary>
    public bool IsSet;

    public readonly bool Contains(ulong address) => address - Start <= Last && IsSet;
}
