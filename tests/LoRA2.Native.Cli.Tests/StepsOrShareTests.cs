using System.Globalization;
using FsCheck;
using FsCheck.Xunit;

namespace LoRA2.Native.Cli.Tests;

public sealed class StepsOrShareTests
{
    [Property]
    public void AWholeNumberIsThatManySteps(PositiveInt steps, PositiveInt total)
    {
        Assert.True(StepsOrShare.TryParse(steps.Get.ToString(CultureInfo.InvariantCulture), out StepsOrShare parsed));
        Assert.False(parsed.IsShare);
        Assert.Equal(steps.Get, parsed.Of(total.Get));
    }

    [Property]
    public void AShareIsOfAllStepsRoundedUp(byte hundredths, PositiveInt total)
    {
        int share = hundredths % 100;
        Assert.True(StepsOrShare.TryParse($"0.{share:00}", out StepsOrShare parsed));
        Assert.True(parsed.IsShare);
        Assert.InRange(parsed.Of(total.Get) - (share * total.Get / 100.0), -1e-9, 1);
    }

    [Property(MaxTest = 300)]
    public void NoTextIsMoreThanRefused(NonNull<string> text)
    {
        if (StepsOrShare.TryParse(text.Get, out StepsOrShare parsed)) Assert.True(parsed.Value >= 0);
    }
}
