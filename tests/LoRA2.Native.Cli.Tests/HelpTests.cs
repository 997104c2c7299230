using LoRA2.Native.Cli.Tests;
namespace LoRA2.Native.Cli.Tests;

public class HelpTests
{
    [Theory]
    [InlineData("finetune")]
    [InlineData("compare")]
    [InlineData("reproduce")]
    [InlineData("evaluate")]
    [InlineData("predict")]
    [InlineData("embed")]
    [InlineData("serve")]
    [InlineData("merge")]
    [InlineData("export")]
    [InlineData("import")]
    [InlineData("inspect")]
    [InlineData("tokenize")]
    [InlineData("trace")]
    public void EveryCommandHasHelpWithExamples(string command)
    {
        CommandResult result = Lora2.Run(command, "--help").Done();
        Assert.Contains("Usage:", result.Output, StringComparison.Ordinal);
        Assert.Contains($"lora2 {command}", result.Output[result.Output.IndexOf("Examples:", StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.Contains(command, Lora2.Run("--help").Done().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void TheVersionIsANumber() => Assert.Matches(@"^\d+\.\d+\.\d+", Lora2.Run("--version").Done().Output);
}
