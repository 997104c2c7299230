using System.Reflection;
using Xunit.Sdk;

namespace LoRA2.Native.Tests.Golden;

/// <summary>
/// Runs a theory for every golden family of a kind that has the files it needs; where there is none, the kind is reported as skipped, with the
/// reason.
/// </summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class GoldenFamiliesAttribute : DataAttribute
{
    private readonly GoldenKind kind;
    private readonly string[] files;

    public GoldenFamiliesAttribute(GoldenKind kind, params string[] files)
    {
        this.kind = kind;
        this.files = files;
        Skip = GoldenTraces.NotRun(kind, files);
    }

    /// <summary>One row, the family's path, each; or a row that names the kind, for xunit to report as skipped.</summary>
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        Skip is null ? GoldenTraces.Families(kind, files).Select(family => (object[])[family]) : [[$"({kind})"]];
}
