using LoRA2.Native.Cli.Tests;
namespace LoRA2.Native.Cli.Tests;

public class HelpTests
{
    public static TheoryData<string> Commands => [.. LoRA2Command.Commands.Select(command => command.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
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
