using System.Reflection;
using Xunit.Sdk;

namespace LoRA2.Native.Testing;

/// <summary>A theory's rows: the names of every check that <see cref="OpCheck.Run"/> knows on this machine.</summary>
/// <example><code>
/// [Theory, OpChecks]
/// public void SwishPassesEveryCheck(string check) => OpCheck.Run(SwishOp.Entry, check);
/// </code></example>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OpChecksAttribute : DataAttribute
{
    /// <inheritdoc/>
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => OpCheck.Names.Select(name => (object[])[name]);
}
