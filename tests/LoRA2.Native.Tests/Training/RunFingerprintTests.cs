using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Training;

public sealed class RunFingerprintTests
{
    [Theory]
    [InlineData("{\"arithmetic\":\"vectors of 512\",\"data\":\"d\",\"options\":\"o\"}", null)]
    [InlineData("{\"arithmetic\":\"vectors of 256\",\"data\":\"d\",\"options\":\"o\"}", "on vectors of 256, here it is vectors of 512, which rounds differently")]
    [InlineData("{\"arithmetic\":\"vectors of 512\",\"data\":\"e\",\"options\":\"o\"}", "with other data; ")]
    [InlineData("{\"arithmetic\":\"vectors of 256\",\"data\":\"e\",\"options\":\"p\"}", "with other arithmetic, other data, other options; ")]
    [InlineData("not JSON", "with other arithmetic, other data, other options; ")]
    [InlineData("[1]", "with other arithmetic, other data, other options; ")]
    public void WhatIsDifferentIsNamed(string other, string? difference)
    {
        RunFingerprint run = RunFingerprint.Parse("{\"arithmetic\":\"vectors of 512\",\"data\":\"d\",\"options\":\"o\"}");
        string? found = run.DifferenceFrom(RunFingerprint.Parse(other));
        if (difference is null) Assert.Null(found);
        else Assert.StartsWith(difference, found, StringComparison.Ordinal);
        Assert.Null(run.DifferenceFrom(RunFingerprint.Parse(run.ToString())));
    }
}
